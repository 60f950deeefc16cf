"""A window in a song's frozen context against the full generation that it saves."""

from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from engine.bench.loads import load
from engine.bench.pairs import Percentiles, Progress, Ratio, Took, in_turns, milliseconds, timed
from engine.bench.song import LONG, SHORT
from engine.request.request import Request
from engine.session import Session
from engine.song.frozen import FrozenSong

WINDOW: Final = 500
"""20 s."""


@dataclass(frozen=True, kw_only=True)
class FrozenCost:
    """One generation of a window, with a control changed each time.

    Attributes:
        short, long: frames of the songs.
        window: frames, in the middle of the song.
        kept_mib: what the context keeps of the short song, and of the long one.
        window_ms: one window of the long song.
        over_full: that over a full generation of the long song.
        over_short: that over the same window of the short song.
    """

    short: int
    long: int
    window: int
    kept_mib: tuple[float, float]
    window_ms: Percentiles
    over_full: Ratio
    over_short: Ratio


def frozen_window(
    session: Session,
    short: int = SHORT,
    long: int = LONG,
    window: int = WINDOW,
    *,
    pairs: int = 4,
    done: Progress | None = None,
) -> FrozenCost:
    """Time windows of a long song in turns with full generations of it and with windows of a short one.

    Args:
        session: what to measure; its backend is the eager one.
        short, long: frames.
        window: frames, even, at most the short song.
        pairs: to measure, 1 or more.
        done: called after every pair.

    Raises:
        RequestError: a length.
        EngineError: pairs is less than 1, another backend, or a context that is too large.
    """
    requests = {frames: load(session, "plain", frames).request for frames in (short, long)}
    songs = {frames: FrozenSong(session, request) for frames, request in requests.items()}
    turns = count(1)

    def changed(frames: int) -> Request:
        return replace(requests[frames], velocity_scale=1.0 - 0.001 * (next(turns) % 100))

    def part(frames: int) -> Took:
        first = (frames - window) // 4 * 2
        return timed(lambda: songs[frames].generate(changed(frames), first, window))

    def others() -> tuple[Took, Took]:
        return timed(lambda: session.generate(changed(long))), part(short)

    part(long)
    part(short)
    results = in_turns(lambda: part(long), others, pairs, done)
    windows = [took for took, _ in results]
    return FrozenCost(
        short=short,
        long=long,
        window=window,
        kept_mib=(songs[short].nbytes / 2**20, songs[long].nbytes / 2**20),
        window_ms=milliseconds(windows),
        over_full=Ratio.of(windows, [full for _, (full, _) in results]),
        over_short=Ratio.of(windows, [few for _, (_, few) in results]),
    )
