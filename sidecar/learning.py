"""Learning: what a pass captured becomes part of the learned source, a block at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from sidecar.frames import first_sample
from sidecar.passage import Layer, merge
from sidecar.source import blocks, canonical_steps, quantised
from sidecar.windows import resample

if TYPE_CHECKING:
    from sidecar.passage import Passage
    from sidecar.source import SourceAudio
    from sidecar.steps import Steps


def learned(before: SourceAudio | None, passage: Passage, name: str) -> Steps[SourceAudio | None]:
    """The learned source after a pass; None where it stays what it was.

    Silence teaches nothing, and audio that was learned before costs a look at it alone.

    Args:
        before: the learned source so far.
        passage: what the pass captured; nothing is written to it any more.
        name: for people.
    """
    fresh = passage.layer
    if fresh is None or (yield from _is_silent(fresh)) or (before and (yield from _holds(before, fresh, passage.rate))):
        return None
    merged = merge(None if before is None else _at_rate(before, passage.rate), fresh, passage.rate)
    source = yield from canonical_steps(merged.part, merged.samples, merged.first, passage.rate, name)
    if source is None:
        return None
    yield from source.hashing()
    if before is not None and msgspec.structs.replace(before.entry, name=name) == source.entry:
        return None
    return source


def _is_silent(layer: Layer) -> Steps[bool]:
    for block in blocks(layer.samples):
        if layer.part(block.start, block.stop).any():
            return False
        yield
    return True


def _holds(source: SourceAudio, layer: Layer, rate: int) -> Steps[bool]:
    """Whether a source has the layer's audio, in its own 24 bits, where the layer lies."""
    low = layer.first - source.first
    if source.rate != rate or low < 0 or low + layer.samples > source.samples:
        return False
    for block in blocks(layer.samples):
        heard = quantised(layer.part(block.start, block.stop), source.scale)
        if not np.array_equal(heard, source.whole[:, low + block.start : low + block.stop]):
            return False
        yield
    return True


def _at_rate(source: SourceAudio, rate: int) -> Layer:
    if source.rate == rate:
        return Layer(source.first, source.samples, source.part)
    samples = source.samples * rate // source.rate
    moved = resample(source.audio, source.rate, rate, samples)
    return Layer(first_sample(source.entry.start_frame, rate), samples, lambda low, high: moved[:, low:high])
