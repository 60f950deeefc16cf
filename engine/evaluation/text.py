"""Text alone: whether tempo and key of a prompt are heard in what is generated from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from engine.evaluation import harmony, rhythm
from engine.evaluation.clips import Clips
from engine.evaluation.figures import Done, Figure, Spread, Target
from engine.evaluation.prompts import OFF_GRID, ON_GRID, Case, cases
from engine.evaluation.spectra import Audio
from engine.request.request import Request
from engine.session import Session

STEPS: Final = 8
_ON_THE_BEAT: Final = ("techno", "house")  # a kick on every beat, as in what the first small checkpoint was judged by
_FIRST: Final = 1_000  # number of the first clip that is compared with


@dataclass(frozen=True, eq=False)
class Heard:
    """What was heard in one piece of audio.

    Attributes:
        recurring: see `rhythm.recurrence`.
        tempo: bpm, or None.
        fits: see `harmony.fits`.
    """

    recurring: rhythm.Envelope
    tempo: float | None
    fits: dict[str, float]

    @classmethod
    def of(cls, audio: Audio) -> "Heard":
        """Listen to audio."""
        recurring = rhythm.recurrence(rhythm.onsets(audio))
        return cls(recurring, rhythm.tempo(recurring), harmony.fits(harmony.chroma(audio)))


Judge: TypeAlias = Callable[[Heard, Case], float]
"""How well what was heard is what the case asked for."""


@dataclass(frozen=True, eq=False)
class _Set:
    """Cases, what was generated from each with each seed, and a real clip of each."""

    cases: Sequence[Case]
    heard: Sequence[Sequence[Heard]]  # per seed, per case
    real: Sequence[Heard]

    def figure(self, name: str, says: str, judge: Judge, *, unit: str = "%", target: Target | None = None) -> Figure:
        """What a judge says of them."""
        seeds = [[judge(heard, case) for heard, case in zip(row, self.cases, strict=True)] for row in self.heard]
        real = [judge(heard, case) for heard, case in zip(self.real, self.cases, strict=True)]
        return Figure(
            name=name,
            says=says,
            value=Spread.over([float(np.mean(row)) for row in seeds]),
            unit=unit,
            real=float(np.mean(real)),
            chance=self._chance(judge),
            target=target,
            by=self._by_style(np.mean(seeds, axis=0).tolist()),
            real_by=self._by_style(real),
        )

    def of(self, styles: Sequence[str]) -> "_Set":
        """The cases of some styles."""
        kept = [place for place, case in enumerate(self.cases) if case.style in styles]
        rows = [[row[place] for place in kept] for row in self.heard]
        return _Set([self.cases[place] for place in kept], rows, [self.real[place] for place in kept])

    def _by_style(self, values: Sequence[float]) -> dict[str, float]:
        styles = dict.fromkeys(case.style for case in self.cases)
        pairs = list(zip(values, self.cases, strict=True))
        return {style: float(np.mean([value for value, case in pairs if case.style == style])) for style in styles}

    def _chance(self, judge: Judge) -> float:
        """The same with every prompt's question put to what was generated from every other."""
        return float(
            np.mean(
                [
                    judge(heard, asked)
                    for row in self.heard
                    for heard, case in zip(row, self.cases, strict=True)
                    for asked in self.cases
                    if asked is not case
                ]
            )
        )

    def __add__(self, other: "_Set") -> "_Set":
        rows = [[*mine, *theirs] for mine, theirs in zip(self.heard, other.heard, strict=True)]
        return _Set([*self.cases, *other.cases], rows, [*self.real, *other.real])


def measure(
    session: Session, clips: Clips, frames: int, per_style: tuple[int, int], seeds: int, done: Done
) -> list[Figure]:
    """Generate from prompts that state a tempo and a key, and listen.

    Args:
        session: of the checkpoint.
        clips: where the real clips come from that bound every figure.
        frames: T of a generation.
        per_style: cases of each style on the grid of whole frames (1 .. 6), and off it (1 .. 4).
        seeds: generations of each case.
        done: called after each generation.
    """
    on = cases(per_style[0], ON_GRID, _FIRST)
    off = cases(per_style[1], OFF_GRID, _FIRST + len(on))
    grid, between = (_listen(session, clips, frames, asked, seeds, done) for asked in (on, off))
    both = grid + between
    return [
        *_tempo("text", "text alone", grid, Target(low=0.8)),
        grid.of(_ON_THE_BEAT).figure(
            "text.beat",
            "text alone, techno and house, autocorrelation at the beat",
            _beat,
            unit="",
            target=Target(low=0.6),
        ),
        grid.figure("text.beat_all", "text alone, every style, autocorrelation at the beat", _beat, unit=""),
        *_tempo("text.off_grid", "text alone, tempi between frames", between, None),
        both.figure("text.key", "text alone, key above the mean of all keys", _key, target=Target(low=0.7)),
        both.figure("text.key_top3", "text alone, key among the best three of 24", _top),
        both.figure("text.key_rank", "text alone, keys that fit better, of 23", _rank, unit=""),
    ]


def generate(session: Session, case: Case, frames: int, seed: int) -> Audio:
    """One generation from a case's prompt alone, decoded."""
    # no two cases start from the same noise, so that one lucky seed is one lucky case
    request = Request(
        conditioning=case.encode(session, frames), frames=frames, seed=10_000 * seed + case.number, steps=STEPS
    )
    return session.decode_all(session.generate(request))


def _listen(session: Session, clips: Clips, frames: int, asked: Sequence[Case], seeds: int, done: Done) -> _Set:
    real = [
        Heard.of(clips.make(case.number, frames, case.style, beat=case.beat, key=case.key, parts=case.parts).audio)
        for case in asked
    ]
    rows: list[list[Heard]] = []
    for seed in range(1, seeds + 1):
        row: list[Heard] = []
        for case in asked:
            row.append(Heard.of(generate(session, case, frames, seed)))
            done()
        rows.append(row)
    return _Set(asked, rows, real)


def _tempo(name: str, says: str, found: _Set, target: Target | None) -> list[Figure]:
    return [
        found.figure(f"{name}.tempo", f"{says}, tempo within 4 %, half and double count", _octaves, target=target),
        found.figure(f"{name}.tempo_strict", f"{says}, tempo within 4 %", _strict),
    ]


def _octaves(heard: Heard, case: Case) -> float:
    return rhythm.is_near(heard.tempo, case.bpm, octaves=True)


def _strict(heard: Heard, case: Case) -> float:
    return rhythm.is_near(heard.tempo, case.bpm)


def _beat(heard: Heard, case: Case) -> float:
    return rhythm.beat_strength(heard.recurring, case.bpm)


def _key(heard: Heard, case: Case) -> float:
    return harmony.is_above_mean(heard.fits, case.key)


def _top(heard: Heard, case: Case) -> float:
    return harmony.rank(heard.fits, case.key) < 3


def _rank(heard: Heard, case: Case) -> float:
    return harmony.rank(heard.fits, case.key)
