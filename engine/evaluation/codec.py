"""The codec: what a round trip through the VAE leaves of a clip."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.codec.codec import DECODE_MARGIN, ENCODE_MARGIN
from engine.constants import FRAME_SAMPLES
from engine.evaluation.clips import Clip, Clips
from engine.evaluation.figures import Done, Figure, Spread, Target
from engine.evaluation.spectra import (
    BANDS,
    Audio,
    band_likeness,
    band_sdr,
    log_stft_distance,
    si_sdr,
    side_over_mid,
)
from engine.session import Session

FRAMES = 150  # 6 s, as the first small checkpoint was judged by
_FIRST = 6_000  # number of the first clip: trainings watch how they do on those from 0 on
# Both ends of a latent are padded with zeros, which are not the latent of silence, and so may click.
_END = (ENCODE_MARGIN + DECODE_MARGIN) * FRAME_SAMPLES


@dataclass(frozen=True, eq=False)
class _Trip:
    style: str
    distance: float
    si_sdr: float
    sdr: list[float | None]  # per band, as the next
    likeness: list[tuple[float, float]]
    width: tuple[float, float]  # side over mid in dB, before and after


def round_trip(session: Session, audio: Audio) -> Audio:
    """Audio [2, N] of whole latent frames, encoded and decoded."""
    frames = audio.shape[1] // FRAME_SAMPLES
    return session.decode_all(session.prepare_source(audio, frames).latent)


def measure(session: Session, clips: Clips, count: int, done: Done) -> list[Figure]:
    """Round trips of so many held-out clips, and of silence.

    Args:
        session: of the checkpoint.
        clips: where clips come from.
        count: how many, 1 or more; `done` is called as often.
        done: called after each.
    """
    trips: list[_Trip] = []
    for number in range(_FIRST, _FIRST + count):
        trips.append(_trip(session, clips.make(number, FRAMES)))
        done()
    silence = round_trip(session, np.zeros((2, FRAMES * FRAME_SAMPLES), np.float32))
    return [
        _figure("vae.log_stft", "VAE, log-STFT distance", trips, lambda trip: trip.distance, Target(high=0.75)),
        _figure("vae.si_sdr", "VAE, SI-SDR", trips, lambda trip: trip.si_sdr, unit="dB"),
        _median("vae.si_sdr_median", "VAE, SI-SDR, median", [t.si_sdr for t in trips], "dB", Target(low=9.0)),
        *(figure for band in range(len(BANDS)) for figure in _band(band, trips)),
        _width(trips),
        _peak(
            "vae.silence", "VAE, peak where silence goes in, ends left out", silence[:, _END:-_END], Target(high=-60.0)
        ),
        _peak("vae.silence_ends", "VAE, peak where silence goes in", silence),
    ]


def _trip(session: Session, clip: Clip) -> _Trip:
    heard = round_trip(session, clip.audio)
    return _Trip(
        clip.tags.style,
        log_stft_distance(clip.audio, heard),
        si_sdr(clip.audio, heard),
        band_sdr(clip.audio, heard),
        band_likeness(clip.audio, heard),
        (side_over_mid(clip.audio), side_over_mid(heard)),
    )


def _band(band: int, trips: Sequence[_Trip]) -> list[Figure]:
    low, high = BANDS[band]
    there = [trip for trip in trips if trip.sdr[band] is not None]
    if not there:
        return []
    name, says = f"vae.{low}-{high}", f"VAE, {low} - {high} Hz"
    judged = (low, high) == (600, 2_500)  # the band that the first small checkpoint was deaf in
    likeness = [trip.likeness[band] for trip in there]
    return [
        _median(f"{name}.sdr", f"{says}, SDR, median", [trip.sdr[band] or 0.0 for trip in there], "dB"),
        _median(
            f"{name}.correlation",
            f"{says}, correlation of log magnitudes, median",
            [correlation for correlation, _ in likeness],
            target=Target(low=0.7) if judged else None,
        ),
        _median(
            f"{name}.energy",
            f"{says}, energy out over in, median",
            [energy for _, energy in likeness],
            "dB",
            Target(-3.0, 3.0) if judged else None,
        ),
    ]


def _peak(name: str, says: str, audio: Audio, target: Target | None = None) -> Figure:
    peak = 20.0 * float(np.log10(max(float(np.abs(audio).max()), 1e-10)))
    return Figure(name=name, says=says, value=Spread.over([peak]), unit="dBFS", target=target)


def _width(trips: Sequence[_Trip]) -> Figure:
    wide = [trip for trip in trips if trip.width[0] > -40.0]  # a mono clip has no width to keep
    changes = [after - before for before, after in (trip.width for trip in wide or trips)]
    says = "VAE, side over mid, out over in, median"
    return _median("vae.stereo", says, changes, "dB", Target(-3.0, 3.0))


def _figure(
    name: str,
    says: str,
    trips: Sequence[_Trip],
    read: Callable[[_Trip], float],
    target: Target | None = None,
    unit: str = "",
) -> Figure:
    by = {style: [read(trip) for trip in trips if trip.style == style] for style in sorted({t.style for t in trips})}
    return Figure(
        name=name,
        says=says,
        value=Spread.over([read(trip) for trip in trips]),
        unit=unit,
        target=target,
        by={style: float(np.mean(values)) for style, values in by.items()},
    )


def _median(name: str, says: str, values: Sequence[float], unit: str = "", target: Target | None = None) -> Figure:
    """The spread is that of the clips, as everywhere in this room."""
    spread = Spread(float(np.median(values)), float(np.std(values)), len(values))
    return Figure(name=name, says=says, value=spread, unit=unit, target=target)
