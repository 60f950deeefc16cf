"""Covers: how a source gives way to a prompt as it is noised further, and whether its beat stays."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.evaluation import rhythm
from engine.evaluation.clips import Clip, Clips
from engine.evaluation.figures import Done, Figure, Spread, Target
from engine.evaluation.prompts import PARTS, prompt
from engine.evaluation.ranks import spearman
from engine.evaluation.spectra import Audio, correlation, mel_likeness
from engine.evaluation.text import STEPS
from engine.request.request import Request
from engine.request.source import Source
from engine.session import Session

STRENGTHS: Final = (0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Denoise along the sweep; those that the first small checkpoint was judged by."""

_FIRST: Final = 4_000  # number of the first source
_AWAY: Final = 2  # places in the list of styles from a source's to that of the prompt it is covered with


@dataclass(frozen=True, eq=False)
class _Covered:
    """One source, covered.

    Attributes:
        exact: largest difference of the latent at denoise 0 from the source's.
        latent, mel, onsets: likeness to the source's round trip at each of `STRENGTHS`.
        bpm: of the source.
        before, after, own: recurrence of the onsets of the source, of the last cover, and of one with the prompt of the
            source's own style, both at denoise 1.
    """

    exact: float
    latent: list[float]
    mel: list[float]
    onsets: list[float]
    bpm: float
    before: rhythm.Envelope
    after: rhythm.Envelope
    own: rhythm.Envelope


def measure(session: Session, clips: Clips, frames: int, per_seed: int, seeds: int, done: Done) -> list[Figure]:
    """Cover held-out clips with another style's prompt, at every strength.

    Args:
        session: of the checkpoint.
        clips: where sources come from, others for every seed.
        frames: T.
        per_seed: sources per seed.
        seeds: how many.
        done: called after each source.
    """
    found: list[list[_Covered]] = []
    for seed in range(seeds):
        row: list[_Covered] = []
        for place in range(per_seed):
            row.append(_cover(session, clips, frames, seed * per_seed + place))
            done()
        found.append(row)
    every = [one for row in found for one in row]
    exact = max(one.exact for one in every)
    return [
        Figure(
            name="cover.exact",
            says="cover at denoise 0, largest difference from the source's latent",
            value=Spread(exact, 0.0, len(every)),
            target=Target(high=0.0),
        ),
        _sweep(
            "cover.latent",
            "cover, latent's likeness to the source over denoise",
            [[o.latent for o in r] for r in found],
        ),
        _sweep("cover.mel", "cover, mel's likeness to the source over denoise", [[o.mel for o in r] for r in found]),
        _sweep(
            "cover.onsets", "cover, onsets' likeness to the source over denoise", [[o.onsets for o in r] for r in found]
        ),
        *_tempo(found),
    ]


def _cover(session: Session, clips: Clips, frames: int, number: int) -> _Covered:
    styles = tuple(PARTS)
    style, other = styles[number % len(styles)], styles[(number + _AWAY) % len(styles)]
    clip = clips.make(_FIRST + number, frames, style, parts=PARTS[style])
    source = session.prepare_source(clip.audio, frames)
    trip = session.decode_all(source.latent)
    request = _request(session, clip, source, other, number)
    at_zero = session.generate(replace(request, denoise=0.0))
    latents = [session.generate(replace(request, denoise=strength)) for strength in STRENGTHS]
    heard = [session.decode_all(latent) for latent in latents]
    own = session.decode_all(session.generate(_request(session, clip, source, style, number)))
    before = rhythm.onsets(trip)
    return _Covered(
        exact=float(np.abs(at_zero - source.latent).max()),
        latent=[correlation(source.latent, latent) for latent in latents],
        mel=[mel_likeness(trip, audio) for audio in heard],
        onsets=[correlation(before, rhythm.onsets(audio)) for audio in heard],
        bpm=clip.bpm,
        before=rhythm.recurrence(before),
        after=_recurring(heard[-1]),
        own=_recurring(own),
    )


def _request(session: Session, clip: Clip, source: Source, style: str, seed: int) -> Request:
    conditioning = prompt(session, style, source.frames, bpm=clip.bpm, key=clip.tags.key, task="cover")
    return Request(conditioning=conditioning, source=source, frames=source.frames, seed=seed, steps=STEPS)


def _recurring(audio: Audio) -> rhythm.Envelope:
    return rhythm.recurrence(rhythm.onsets(audio))


def _sweep(name: str, says: str, found: list[list[list[float]]]) -> Figure:
    """Rank correlation of likeness and strength, which is -1 where each step up is less alike."""
    mean = np.mean([sweep for row in found for sweep in row], axis=0)
    return Figure(
        name=name,
        says=f"{says}, rank correlation",
        value=Spread.over([float(np.mean([spearman(STRENGTHS, sweep) for sweep in row])) for row in found]),
        target=Target(high=-0.95),
        by={f"{strength:g}": float(value) for strength, value in zip(STRENGTHS, mean, strict=True)},
    )


def _tempo(found: list[list[_Covered]]) -> list[Figure]:
    says = "cover at denoise 1 with hints"

    def share(name: str, ending: str, own: bool, octaves: bool, target: Target | None = None) -> Figure:
        def kept(one: _Covered, recurring: rhythm.Envelope) -> float:
            return rhythm.is_near(rhythm.tempo(recurring), one.bpm, octaves=octaves)

        return Figure(
            name=name,
            says=f"{says}, {ending}",
            value=Spread.over([float(np.mean([kept(o, o.own if own else o.after) for o in row])) for row in found]),
            unit="%",
            real=float(np.mean([kept(o, o.before) for row in found for o in row])),
            target=target,
        )

    return [
        share("cover.tempo", "tempo kept, half and double count", own=False, octaves=True, target=Target(low=0.9)),
        share("cover.tempo_strict", "tempo kept", own=False, octaves=False),
        share(
            "cover.tempo_own", "tempo kept with its own style's prompt, half and double count", own=True, octaves=True
        ),
        Figure(
            name="cover.beat",
            says=f"{says}, autocorrelation at the beat",
            value=Spread.over([float(np.mean([rhythm.beat_strength(o.after, o.bpm) for o in row])) for row in found]),
            real=float(np.mean([rhythm.beat_strength(o.before, o.bpm) for row in found for o in row])),
        ),
    ]
