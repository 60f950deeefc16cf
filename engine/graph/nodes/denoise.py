"""Generating: once, or in a stream that goes on while the graph's values change."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from engine.errors import EngineError
from engine.graph.declare import Family, param, port
from engine.graph.request import (
    CfgRescale,
    Duration,
    GuidanceMode,
    Seed,
    Shift,
    Steps,
    build_request,
)
from engine.graph.values import NO_OUTPUT, Conditions, Diffusion, Latent, Model, Modulation, NoOutput, Solver
from engine.request.dcw import Dcw
from engine.request.request import Request

if TYPE_CHECKING:
    from engine.session import Session
    from engine.stream.handle import StreamHandle
    from engine.stream.stream import Finished

family = Family("denoise")

ModelIn = Annotated[Model, port("What generates.")]
SolverIn = Annotated[Solver, port("How steps are taken.")]
PositiveIn = Annotated[Conditions, port("What it should be.")]
NegativeIn = Annotated[Conditions | None, port("What guidance leads away from.")]
ContextIn = Annotated[Latent | None, port("Hints of what it keeps; silence without one.")]
SourceIn = Annotated[Latent | None, port("What is generated again, with its mask.")]
ModulationIn = Annotated[Modulation | None, port("Curves and a target.")]
DcwIn = Annotated[Dcw | None, port("Wavelet correction; none without one.")]


@family.node("Generate")
def generate(
    model: ModelIn,
    config: Annotated[Diffusion, port("Schedule and seed.")],
    solver: SolverIn,
    positive: PositiveIn,
    negative: NegativeIn,
    context_latent: ContextIn,
    source_latent: SourceIn,
    modulation: ModulationIn,
    dcw: DcwIn,
    duration: Duration,
    guidance_mode: GuidanceMode,
    cfg_rescale: CfgRescale,
) -> Latent:
    """Run one generation to its end."""
    request = build_request(
        model, solver, config, positive, negative, context_latent, source_latent, modulation, dcw,
        duration, guidance_mode, cfg_rescale,
    )  # fmt: skip
    return Latent(model.session.generate(request))


@family.stateful("StreamDenoise")
class StreamDenoise:
    """One tick of a stream per run: hand in what the inputs say now, step everything in flight once.

    Another session or length begins another stream, and what was in flight is dropped.
    """

    live: ClassVar[bool] = True

    def __init__(self) -> None:
        self._session: Session | None = None
        self._handle: StreamHandle | None = None
        self._depth = 0

    def execute(
        self,
        model: ModelIn,
        solver: SolverIn,
        positive: PositiveIn,
        negative: NegativeIn,
        context_latent: ContextIn,
        source_latent: SourceIn,
        modulation: ModulationIn,
        dcw: DcwIn,
        steps: Steps,
        shift: Shift,
        denoise: Annotated[float, param(0.75, "How far the source is noised.", low=0.0, high=1.0)],
        seed: Seed,
        pipeline_depth: Annotated[int, param(8, "Generations in flight.", low=1, high=8)],
        drain: Annotated[bool, param(False, "Run what is handed in now to its end, in this run.")],
        duration: Duration,
        guidance_mode: GuidanceMode,
        cfg_rescale: CfgRescale,
    ) -> Latent | NoOutput:
        """The newest latent that finished in this run, or no output."""
        request = build_request(
            model, solver, Diffusion(steps=steps, shift=shift, seed=seed, denoise=denoise), positive, negative,
            context_latent, source_latent, modulation, dcw, duration, guidance_mode, cfg_rescale,
        )  # fmt: skip
        handle = self._stream(model.session, request, pipeline_depth)
        done = handle.tick()
        if drain:
            done += handle.flush()
        return _newest(done)

    def close(self) -> None:
        """Close the stream."""
        if self._handle is not None:
            self._handle.close()
        self._handle = self._session = None

    def _stream(self, session: "Session", request: Request, depth: int) -> "StreamHandle":
        handle = self._handle
        if handle is None or session is not self._session or handle.request.frames != request.frames:
            self.close()
            self._session = session
            handle = self._handle = session.stream(request, depth)
        elif depth != self._depth:
            handle.set_depth(depth)
        self._depth = depth
        handle.request = request
        return handle


def _newest(done: "list[Finished]") -> Latent | NoOutput:
    if not done:
        return NO_OUTPUT
    newest = max(done, key=lambda finished: finished.request_id)
    if newest.latent is None:
        raise newest.error or EngineError("The generation returned nothing.", "Run the graph again.")
    return Latent(newest.latent)
