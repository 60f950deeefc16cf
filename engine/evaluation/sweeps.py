"""Sweeps: what every lane does to what is heard, and how that compares with what another seed does."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.evaluation.clips import Clips
from engine.evaluation.figures import Done, Spread
from engine.evaluation.lanes import DENOISE, LANES, Base, Lane
from engine.evaluation.prompts import PARTS, prompt
from engine.evaluation.ranks import spearman
from engine.evaluation.spectra import mel_distance
from engine.evaluation.text import STEPS
from engine.request.request import Request
from engine.session import Session

_FIRST = 5_000  # number of the first source
_AWAY, _OTHER = 1, 3  # places in the list of styles from a source's to those of its two prompts


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What one lane did, over several sources with a seed each.

    Attributes:
        lane, at, moves, values: as in `Lane`.
        effect: the measure at each value, mean over sources.
        correlation: rank correlation of value and effect, 1 where each step up is heard as it should be.
        size: distance in dB of mel from the first value to the last.
        of_seed: the same over the distance that another seed makes at the defaults.
    """

    lane: str
    at: str
    moves: str
    values: tuple[float, ...]
    effect: tuple[float, ...]
    correlation: Spread
    size: Spread
    of_seed: Spread

    @property
    def is_monotone(self) -> bool:
        """Whether the mean effect goes one way at every step."""
        steps = np.diff(self.effect)
        return bool((steps > 0).all() or (steps < 0).all())


def parts(count: int) -> int:
    """How often `measure` calls `done`."""
    return count * len(LANES)


def measure(session: Session, clips: Clips, frames: int, count: int, points: int, done: Done) -> list[Sweep]:
    """Sweep every lane.

    Args:
        session: of the checkpoint.
        clips: where sources come from.
        frames: T.
        count: sources, each with a seed of its own.
        points: values of each sweep, evenly taken; 5 is all of them.
        done: called after each sweep of one source.
    """
    bases = [_base(session, clips, frames, number) for number in range(count)]
    seeds = [_another_seed(session, base) for base in bases]
    found: list[Sweep] = []
    for lane in LANES:
        values = tuple(lane.values[int(place)] for place in np.linspace(0, len(lane.values) - 1, points).round())
        swept = [_sweep(session, base, lane, values, done) for base in bases]
        found.append(_joined(lane, values, swept, seeds))
    return found


def _joined(
    lane: Lane, values: tuple[float, ...], swept: Sequence[tuple[list[float], float]], seeds: Sequence[float]
) -> Sweep:
    sign = 1.0 if lane.rises else -1.0
    return Sweep(
        lane=lane.name,
        at=lane.at,
        moves=lane.moves,
        values=values,
        effect=tuple(np.mean([effects for effects, _ in swept], axis=0).tolist()),
        correlation=Spread.over([sign * spearman(values, effects) for effects, _ in swept]),
        size=Spread.over([size for _, size in swept]),
        of_seed=Spread.over([size / max(seed, 1e-6) for (_, size), seed in zip(swept, seeds, strict=True)]),
    )


def _sweep(session: Session, base: Base, lane: Lane, values: Sequence[float], done: Done) -> tuple[list[float], float]:
    heard = [session.decode_all(session.generate(lane.ask(base, value))) for value in values]
    done()
    return [lane.measure(base, heard[0], audio) for audio in heard], mel_distance(heard[0], heard[-1])


def _another_seed(session: Session, base: Base) -> float:
    asked = (base.request, replace(base.request, seed=base.request.seed + 1_000_000))
    one, two = (session.decode_all(session.generate(request)) for request in asked)
    return mel_distance(one, two)


def _base(session: Session, clips: Clips, frames: int, number: int) -> Base:
    styles = tuple(PARTS)
    own, style, other = (styles[(number + away) % len(styles)] for away in (0, _AWAY, _OTHER))
    clip = clips.make(_FIRST + number, frames, own, parts=PARTS[own])
    source = session.prepare_source(clip.audio, frames)
    first, second = (
        prompt(session, name, frames, bpm=clip.bpm, key=clip.tags.key, task="cover") for name in (style, other)
    )
    request = Request(conditioning=first, source=source, frames=frames, seed=number, steps=STEPS, denoise=DENOISE)
    negative = session.null_conditioning(first)
    return Base(request, source, second, negative, session.decode_all(source.latent))
