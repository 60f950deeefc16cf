"""What a second of song costs as the song gets longer."""

from dataclasses import dataclass
from typing import Final

from engine.bench.loads import load
from engine.bench.pairs import Percentiles, Progress, Ratio, Took, in_turns, milliseconds, timed
from engine.constants import FRAME_RATE
from engine.session import Session
from engine.song.generate import generate_song
from engine.song.regions import REGION, plan

SHORT: Final = 60 * FRAME_RATE
LONG: Final = 240 * FRAME_RATE


@dataclass(frozen=True, kw_only=True)
class SongCost:
    """A long song over a short one, per second of song, latents without decoding.

    Attributes:
        way: "moving region", or "full generation" as what it replaces.
        short, long: frames of the songs.
        region: T of what is generated at once; 0 where that is the whole song.
        regions: how many of them the short and the long song take.
        second_ms: one second of the long song.
        per_second: cost of a second of the long song over one of the short.
        per_region: cost of a region of the long song over one of the short: no region is cheaper or dearer for the
            song that it lies in, while the last one of a song overlaps the one before as far as it has to.
    """

    way: str
    short: int
    long: int
    region: int
    regions: tuple[int, int]
    second_ms: Percentiles
    per_second: Ratio
    per_region: Ratio


def moving_region(
    session: Session,
    short: int = SHORT,
    long: int = LONG,
    region: int = REGION,
    *,
    pairs: int = 4,
    done: Progress | None = None,
) -> SongCost:
    """Time whole songs generated in moving regions.

    Args:
        session: what to measure.
        short, long: frames.
        region: T of a region.
        pairs: songs of each length, 1 or more.
        done: called after every pair.

    Raises:
        RequestError: frames or region.
        EngineError: pairs is less than 1.
    """
    counts = (len(plan(short, region).regions), len(plan(long, region).regions))
    requests = {frames: load(session, "plain", frames).requests() for frames in (short, long)}

    def song(frames: int) -> Took:
        return timed(lambda: generate_song(session, next(requests[frames]), region=region))

    song(short)
    results = in_turns(lambda: song(long), lambda: song(short), pairs, done)
    return _cost("moving region", (short, long), region, counts, results)


def full_generation(
    session: Session, short: int = SHORT, long: int = LONG, *, pairs: int = 2, done: Progress | None = None
) -> SongCost:
    """Time whole songs generated at once, as `moving_region` does in parts."""
    requests = {frames: load(session, "plain", frames).requests() for frames in (short, long)}

    def song(frames: int) -> Took:
        return timed(lambda: session.generate(next(requests[frames])))

    song(short)
    results = in_turns(lambda: song(long), lambda: song(short), pairs, done)
    return _cost("full generation", (short, long), 0, (1, 1), results)


def _cost(
    way: str, frames: tuple[int, int], region: int, regions: tuple[int, int], results: list[tuple[Took, Took]]
) -> SongCost:
    (short, long), (few, many) = frames, regions
    longs, shorts = [took for took, _ in results], [took for _, took in results]
    seconds = [took * (FRAME_RATE / long) for took in longs]
    return SongCost(
        way=way,
        short=short,
        long=long,
        region=region,
        regions=regions,
        second_ms=milliseconds(seconds),
        per_second=Ratio.of(seconds, [took * (FRAME_RATE / short) for took in shorts]),
        per_region=Ratio.of([took * (1 / many) for took in longs], [took * (1 / few) for took in shorts]),
    )
