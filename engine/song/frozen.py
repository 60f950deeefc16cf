"""The frozen context: windows of a song, generated again while the rest of it stays as it was."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.backends import DitBackend
from engine.backends.eager import EagerBackend
from engine.backends.variants import DitVariants
from engine.checks import whole
from engine.errors import EngineError, RequestError
from engine.request.request import Request
from engine.request.snapshot import Snapshot, check
from engine.session import Session
from engine.song.changes import changes
from engine.song.context import Kept, kept_bytes
from engine.song.forwards import Counter, Keeper, WindowForwards, other_forwards
from engine.stream.stream import Stream

LIMIT: Final = 2 << 30
"""Bytes that may be kept unless a caller allows more; 240 s of the shipped checkpoint at 8 steps keep 0.12 GB."""

_SCHEDULE: Final = ("frames", "steps", "shift", "denoise", "timesteps")


@dataclass(frozen=True, eq=False, kw_only=True)
class FrozenWindow:
    """A window of a song that was generated in its frozen context.

    Attributes:
        first: song frame of the first.
        latent: [frames, 64] float32, read-only.
        changes: what differs between the window's request and the context's, by name; "loras" are the strengths that
            acted.
        since: control version of the first request since the last full generation that differed; None if none did.
    """

    first: int
    latent: NDArray[np.float32]
    changes: tuple[str, ...]
    since: int | None

    @property
    def approximate(self) -> bool:
        """Something changed, which a full generation would have answered everywhere. If not: equal to it to 2e-6."""
        return bool(self.changes)


@dataclass(frozen=True, eq=False)
class _Context:
    request: Request
    snapshot: Snapshot
    loras: dict[str, float]
    latent: NDArray[np.float32]
    kept: list[Kept]
    nbytes: int


class FrozenSong:
    """A song that was generated once in full, so that its windows can be generated again on their own.

    The full generation keeps every block's keys and values at every step. A window computes only its own frames, which
    attend to themselves and to what is kept of all others; outside of it velocities are those that were kept. What the
    context was made with and what a window is asked for may differ, and then the result is approximate, because the
    context does not answer: every window says so. Runs on the eager backend alone. One thread at a time may use it.
    """

    def __init__(self, session: Session, request: Request, *, limit: int = LIMIT) -> None:
        """Generate the whole song.

        Args:
            session: generates; it stays open.
            request: of the song.
            limit: bytes that may be kept.

        Raises:
            RequestError: a field is wrong.
            EngineError: more than the limit would be kept, the backend cannot do it, or the generation failed.
        """
        self._session = session
        self._limit = whole("limit", limit, 0, 2**63 - 1)
        self._since: int | None = None
        self._context = self._full(request)

    @property
    def request(self) -> Request:
        """Of the last full generation."""
        return self._context.request

    @property
    def latent(self) -> NDArray[np.float32]:
        """The last full generation [T, 64], read-only: bit for bit `Session.generate`."""
        return self._context.latent

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return self._context.nbytes

    def refresh(self, request: Request) -> None:
        """Generate the whole song again, as the context from then on. Until it is done the old one is kept beside it.

        Raises:
            RequestError, EngineError: as the constructor; the old context stays.
        """
        self._context = self._full(request)
        self._since = None

    def generate(self, request: Request, first: int, frames: int) -> FrozenWindow:
        """Generate frames [first, first + frames) of the song.

        Args:
            request: of the whole song, with the schedule of the context: frames, steps, shift, denoise, timesteps.
            first, frames: even, inside the song.

        Raises:
            RequestError: a field is wrong, or the schedule or the window does not fit.
            EngineError: it runs other forwards than the context ("stale_context"), or it failed.
        """
        snapshot = check(request, self._session.checkpoint.conditioning_width)
        self._check_schedule(snapshot)
        start, count = _window(first, frames, snapshot.frames)
        forwards = WindowForwards(self._dits(), self._context.kept, start, count)
        acting = self._loras(request)
        song = self._run(forwards, request)
        if not forwards.complete:
            raise other_forwards()
        differing = tuple(name for name in changes(self._context.snapshot, snapshot) if name != "loras")
        if acting != self._context.loras:
            differing += ("loras",)
        if differing and self._since is None:
            self._since = snapshot.control_version
        latent = song[start : start + count].copy()
        latent.setflags(write=False)
        return FrozenWindow(first=start, latent=latent, changes=differing, since=self._since)

    def _full(self, request: Request) -> _Context:
        snapshot = check(request, self._session.checkpoint.conditioning_width)
        dits = self._dits()
        counter = Counter()
        self._run(counter, request)
        per_forward = kept_bytes(dits.plain.shape, request.frames)
        nbytes = counter.forwards * per_forward
        if nbytes > self._limit:
            raise EngineError(
                f"A frozen context of {request.frames} frames keeps {counter.forwards} x {per_forward} bytes, "
                f"{nbytes / 2**30:.3f} GiB, with {self._limit / 2**30:.3f} GiB allowed.",
                "Raise limit, take fewer steps, or generate the song in moving regions (SongStream).",
                code="too_large",
            )
        acting = self._loras(request)
        keeper = Keeper(dits)
        return _Context(request, snapshot, acting, self._run(keeper, request), keeper.kept, nbytes)

    def _run(self, backend: DitBackend, request: Request) -> NDArray[np.float32]:
        session = self._session
        width = session.checkpoint.conditioning_width
        with Stream(backend, session.empty_latent(request.frames), 1, width, session.loras) as stream:
            stream.submit(request)
            (done,) = stream.flush()
        if done.latent is not None:
            return done.latent
        error = done.error or EngineError("The generation returned nothing.", "Hand in the request again.")
        raise error.__cause__ if isinstance(error.__cause__, EngineError) else error

    def _dits(self) -> DitVariants:
        backend = self._session.backend
        if not isinstance(backend, EagerBackend):
            raise EngineError(
                f"The backend {backend.name!r} cannot generate in a frozen context.",
                "Open the session with the eager backend, or generate in moving regions (SongStream).",
            )
        return backend.dits

    def _loras(self, request: Request) -> dict[str, float]:
        return dict(self._session.loras.active() if request.loras is None else request.loras)

    def _check_schedule(self, snapshot: Snapshot) -> None:
        for field in _SCHEDULE:
            held, asked = getattr(self._context.snapshot, field), getattr(snapshot, field)
            if held != asked:
                fix = "Keep it, or call refresh with the new request."
                raise RequestError(field, asked, f"differs from the frozen context's {held}", fix)


def _window(first: int, frames: int, total: int) -> tuple[int, int]:
    start = whole("first", first, 0, total - 2)
    count = whole("frames", frames, 2, total - start)
    for field, value in (("first", start), ("frames", count)):
        if value % 2:
            raise RequestError(field, value, "is odd", "Use an even number; a DiT patch is 2 frames.")
    return start, count
