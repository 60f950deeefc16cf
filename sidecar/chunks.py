"""Chunks: rendered runs cut along the grid of the timeline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidecar.frames import CHUNK, chunks_between
from sidecar.windows import Run


@dataclass(eq=False)
class Chunk:
    """2048 samples of song from sample 2048 x `number` on.

    Attributes:
        audio: [2, 2048] float32; 0 outside the pass's span.
        generation, control_version: the newest that it holds.
        valid: samples before which it has audio.
    """

    number: int
    audio: NDArray[np.float32]
    generation: int = 0
    control_version: int = 0
    valid: int = 0
    missing: int = CHUNK


class Cutter:
    """Collects a pass's runs and gives out each chunk once, when all of its samples inside the span are there.

    Args:
        span: the song samples that the pass renders, half open.
    """

    def __init__(self, span: tuple[int, int]) -> None:
        self._span = span
        self._open: dict[int, Chunk] = {}

    def add(self, run: Run) -> list[Chunk]:
        """Take in a run that follows those before it; return the chunks that it completes."""
        end = run.start + run.audio.shape[1]
        return [
            chunk for number in chunks_between(run.start, end) if (chunk := self._fill(number, run, end)).missing == 0
        ]

    def _fill(self, number: int, run: Run, run_end: int) -> Chunk:
        chunk = self._open.pop(number, None) or self._new(number)
        first = number * CHUNK
        low, high = max(run.start, first), min(run_end, first + CHUNK)
        chunk.audio[:, low - first : high - first] = run.audio[:, low - run.start : high - run.start]
        chunk.missing -= high - low
        chunk.valid = high - first
        chunk.generation = max(chunk.generation, run.generation)
        chunk.control_version = max(chunk.control_version, run.control_version)
        if chunk.missing:
            self._open = {number: chunk}  # an older one can no longer be completed: its window was skipped
        return chunk

    def _new(self, number: int) -> Chunk:
        first = number * CHUNK
        inside = min(self._span[1], first + CHUNK) - max(self._span[0], first)
        return Chunk(number, np.zeros((2, CHUNK), np.float32), missing=inside)
