"""The session: one loaded checkpoint, and everything that can be done with it."""

from collections.abc import Sequence
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from engine.constants import FRAME_RATE, SOURCE_GRID
from engine.errors import EngineError
from engine.request.repaint import repainted
from engine.request.request import Request, even_frames
from engine.request.snapshot import check
from engine.stream.changes import Change
from engine.stream.handle import StreamHandle
from engine.stream.self_check import SelfCheck, self_check
from engine.stream.stream import UNCHECKED, Stream
from engine.stream.warmup import WarmedPart, timed
from engine.surface.audio import Audio
from engine.surface.texts import Texts


def preload() -> None:
    """Import every heavy module a session needs, so that opening one later is quick. Starts no threads.

    Importing this module is what loads torch, diffusers and transformers; the classes behind their lazy names follow.
    """
    import_module("transformers.models.qwen3.modeling_qwen3")
    import_module("diffusers.models.transformers.ace_step_transformer")


class Session(Texts, Audio):
    """A loaded checkpoint. Open it with `Session.open`, close it with `close` or as a context manager.

    A session that was opened but has run nothing yet may be carried into a forked child and used there: opening starts
    no worker threads. One thread at a time may use a session and its streams.
    """

    _claim = UNCHECKED

    def open_stream(self, frames: int, depth: int = 2) -> Stream:
        """Open a stream of generations of T = frames (even, 30 .. 15000) with 1 .. 8 of them in flight.

        Raises:
            RequestError: frames or depth.
        """
        wanted = even_frames(frames)
        width = self.checkpoint.conditioning_width
        return Stream(self.backend, self.empty_latent(wanted), depth, width, self.loras, lambda: self.claim)

    def warm_up(self, frames: int = 250) -> tuple[WarmedPart, ...]:
        """Do ahead what a first generation of T = frames would wait for, such as compiling.

        Returns:
            What was done, with the seconds that each part took.

        Raises:
            RequestError: frames.
        """
        with self.open_stream(frames, 1) as stream:
            parts = stream.warm_up()
        silence = self.empty_latent(frames)
        return (
            timed("prompt", lambda: self.encode_text("techno", duration=frames / FRAME_RATE)),
            *parts,
            timed("decode", lambda: self.decode(silence, 0, SOURCE_GRID)),
        )

    def self_check(self, frames: int = 60) -> SelfCheck:
        """Prove or disprove, with this model, machine, backend and thread count, that streaming changes no bit.

        Streams unlike requests of T = frames side by side and compares each with the same request alone: about seventy
        forwards. What it found is what `claim` and the stats of every stream say from then on.

        Raises:
            RequestError: frames.
        """
        captions = ("techno, driving kick", "ambient pad chords, slow, warm, long tails")
        prompts = [self.encode_text(caption, duration=frames / FRAME_RATE) for caption in captions]
        found = self_check(lambda depth: self.open_stream(frames, depth), prompts, frames)
        self._claim = found.claim
        return found

    @property
    def claim(self) -> str:
        """How far a streamed latent equals the one-shot one here, as the latest self-check found."""
        return self._claim

    def stream(self, request: Request, depth: int = 4) -> StreamHandle:
        """Keep generating one request, which may be changed between ticks.

        Nothing runs before the first tick.

        Args:
            request: what the first tick submits; its `frames` are the stream's.
            depth: generations in flight, 1 .. 8.

        Raises:
            RequestError: a field of the request, or depth.
        """
        check(request, self.checkpoint.conditioning_width)
        return StreamHandle(self.open_stream(request.frames, depth), request, self.decode)

    def generate(self, request: Request, changes: Sequence[Change] | None = None) -> NDArray[np.float32]:
        """Run one request to its end: the latent [T, 64] float32, read-only.

        Bit for bit what a stream returns for the same request, whatever its depth and neighbours.

        Args:
            request: what to generate.
            changes: those of a Finished: brings back what came out of a stream whose shared curves or LoRAs were
                changed meanwhile. The session's LoRAs then act only as far as they are in it.

        Raises:
            RequestError: a field or a change is wrong.
            EngineError: the generation failed.
        """
        with self.open_stream(request.frames, depth=1) as stream:
            stream.submit(request, changes)
            (done,) = stream.flush()
        if done.latent is None:
            raise done.error or EngineError("The generation returned nothing.", "Submit it again.")
        return done.latent

    def repaint(self, request: Request, start: int, end: int, *, preserve: bool = True) -> Request:
        """The request, changed so that frames [start, end) of its source are painted anew.

        As in ACE-Step's repaint task, whose prompt it wants (`encode_text(..., task="repaint")`): the context is the
        source itself, with silence inside the span, and the chunk mask tells the DiT which is which.

        Args:
            request: with a source.
            start, end: frames, 0 <= start < end <= T.
            preserve: also mask the latent, so that the frames outside the span come back as the source, bit for bit.
                False leaves them to the DiT, as ACE-Step does.

        Raises:
            RequestError: no source, or a span outside it.
        """
        check(request, self.checkpoint.conditioning_width)
        return repainted(request, self.empty_latent(request.frames), start, end, preserve)
