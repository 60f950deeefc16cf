"""From a changed control to the first finished latent that knows of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from engine.bench.loads import load
from engine.bench.pairs import Percentiles, Progress, Took, milliseconds, now
from engine.errors import EngineError
from engine.session import Session


@dataclass(frozen=True, kw_only=True)
class ControlLatency:
    """A request's way through a full stream that is handed a new one in every tick.

    A control changes between two ticks. Of the tick that comes next and the one that returns the first latent asked for
    after the change, this is the distance: 0 would be the same tick.

    Attributes:
        frames, depth, steps: of the stream.
        ticks: of the changes whose turn of admission it was.
        ticks_at_most: of the change that has just missed one.
        spacing: ticks between two results, the same throughout.
        ms: from the change until `tick` has returned that latent, with ticks back to back; of every change.
    """

    frames: int
    depth: int
    steps: int
    ticks: int
    ticks_at_most: int
    spacing: int
    ms: Percentiles


def control_latency(
    session: Session, frames: int = 400, depth: int = 4, *, changes: int = 40, done: Progress | None = None
) -> ControlLatency:
    """Change a control before every tick of a full stream and count.

    Args:
        session: what to measure.
        frames: T.
        depth: slots in flight, 1 .. 8.
        changes: to follow to their end.
        done: called after every one of them.

    Raises:
        RequestError: frames or depth.
        EngineError: results were not evenly spaced, so that there is no one figure.
    """
    asked = load(session, "plain", frames)
    requests = asked.requests()  # its control_version counts 1, 2, 3: the tick it was made for
    warm = 2 * asked.request.steps
    made: list[Took] = []  # when the control changed, per tick
    returned: list[tuple[int, int, Took]] = []  # tick, version and when
    with session.open_stream(frames, depth) as stream:
        while not returned or returned[-1][1] < warm + changes:
            made.append(now())
            stream.submit(next(requests))
            finished = stream.tick()
            returned += [(len(made), one.control_version, now()) for one in finished]
            if done is not None and warm < len(made) <= warm + changes:
                done()
    distances: list[int] = []
    waits: list[Took] = []
    for change in range(warm + 1, warm + changes + 1):
        tick, _, when = next(result for result in returned if result[1] >= change)
        distances.append(tick - change)
        waits.append(when - made[change - 1])
    return ControlLatency(
        frames=frames,
        depth=depth,
        steps=asked.request.steps,
        ticks=min(distances),
        ticks_at_most=max(distances),
        spacing=_spacing([tick for tick, _, _ in returned]),
        ms=milliseconds(waits),
    )


def _spacing(ticks: Sequence[int]) -> int:
    gaps = {later - earlier for earlier, later in pairwise(ticks)}
    if len(gaps) != 1:
        raise EngineError(f"Results came {sorted(gaps)} ticks apart.", "Report this: admissions should be paced.")
    return gaps.pop()
