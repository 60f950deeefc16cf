"""Where a song is heard, and which regions that takes."""

from typing import TypeAlias

from engine.checks import whole
from engine.errors import RequestError
from engine.song.regions import Plan

Loop: TypeAlias = tuple[int, int]
"""Song frames (start, end): a playhead before the end goes on at the start when it gets there."""


def needed(plan: Plan, playhead: int, ahead: int, loop: Loop | None = None) -> tuple[int, ...]:
    """The regions that are heard in the next `ahead` frames, in the order in which they are.

    Args:
        plan: of the song.
        playhead: song frame.
        ahead: 1 or more; frames beyond the song are nothing.
        loop: None plays on to the end.

    Raises:
        RequestError: the playhead or the loop is not inside the song, or the loop is empty.
    """
    place = whole("playhead", playhead, 0, plan.frames - 1)
    start, end = (0, plan.frames) if loop is None else _checked(loop, plan.frames)
    looping = loop is not None and place < end
    stop = min(place + ahead, end if looping else plan.frames)
    order = list(plan.between(place, stop))
    rest = ahead - (stop - place)
    if looping and rest > 0:
        order += plan.between(start, min(start + rest, end))
    return tuple(dict.fromkeys(order))


def _checked(loop: Loop, frames: int) -> Loop:
    start, end = (whole("loop", bound, 0, frames) for bound in loop)
    if start >= end:
        raise RequestError("loop", loop, "is empty", "Pass (start, end) with start < end.")
    return start, end
