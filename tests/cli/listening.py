"""Listening by numbers: how loud, how bright and how busy a sound is, and how far two sounds are apart.

Run as a script it bounces every factory preset and prints the table of docs/presets.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from engine import Session
from sidecar import library
from sidecar.bounce import bounce
from sidecar.document import Document
from sidecar.preset import Preset

Audio = NDArray[np.float32]

RATE = 48_000
WINDOW, HOP = 4096, 960  # 85 ms, long enough to part semitones at 300 Hz; 50 hops a second, as fast as drums go
BANDS, LOWEST, HIGHEST = 32, 30.0, 12_000.0
FLOOR = 1e-5  # 50 dB below the mean power of a frame: what is weaker is masked
ONSET = 3.0  # dB; finds 15 in the four seconds of the demo loop, whose kick and clap are 16


@dataclass(frozen=True)
class Heard:
    """One sound.

    Attributes:
        loudness: LUFS, integrated (ITU-R BS.1770-4).
        peak: largest sample.
        brightness: Hz, the power-weighted mean of the mel bands' centres.
        onsets: per second.
        bands: [2, 32] dB, mean and deviation over time of the power in mel bands, at equal power.
    """

    loudness: float
    peak: float
    brightness: float
    onsets: float
    bands: NDArray[np.float64]

    def distance(self, other: "Heard") -> float:
        """dB: root mean square over the bands' means and deviations; level and place in time do not count."""
        return float(np.sqrt(np.mean((self.bands - other.bands) ** 2)))


def listen(audio: Audio) -> Heard:
    """What is heard of audio [2, n] at 48 kHz."""
    power = _bands(audio)
    equal = power / power.sum(1).mean()
    level = 10 * np.log10(equal + FLOOR)
    # An onset is where the whole rises by 3 dB within 40 ms, at its steepest; what is 30 dB down counts as silence.
    whole = 10 * np.log10(equal.sum(1) + 1e-3)
    rise = whole[2:] - whole[:-2]
    crest = (rise[1:-1] > ONSET) & (rise[1:-1] >= rise[:-2]) & (rise[1:-1] > rise[2:])
    return Heard(
        loudness=_loudness(audio),
        peak=float(np.abs(audio).max()),
        brightness=float((power.sum(0) * _centres()).sum() / power.sum()),
        onsets=float(crest.sum() / (audio.shape[1] / RATE)),
        bands=np.stack([level.mean(0), level.std(0)]),
    )


def bounces(seconds: float, seed_offset: int = 0) -> Iterator[tuple[Preset, Heard]]:
    """Every factory preset on the first seconds of the demo loop, in the shipped checkpoint."""
    loop, rate = soundfile.read(
        Path(__file__).resolve().parents[2] / "demo" / "loop.flac",
        frames=round(seconds * RATE),
        dtype="float32",
        always_2d=True,
    )
    assert rate == RATE
    audio = np.ascontiguousarray(loop.T)
    with Session.open() as session:
        for preset in library.factory():
            document = Document().patch(preset.changes).patch({"parameters": {"seed_offset": seed_offset}})
            yield preset, listen(bounce(session, audio, rate, document)[0])


def _centres() -> NDArray[np.float64]:
    return _hertz(np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2))[1:-1]


def _mel(hertz: float) -> float:
    return 2595.0 * np.log10(1.0 + hertz / 700.0)


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)


def _bands(audio: Audio) -> NDArray[np.float64]:
    """[frames, BANDS] power in triangular mel bands of the mono sum."""
    edges = _hertz(np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2))
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    up = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    down = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    weights = np.clip(np.minimum(up, down), 0.0, None)
    mono = np.pad(audio.astype(np.float64).mean(0), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(mono, WINDOW)[::HOP]
    return np.abs(np.fft.rfft(frames * np.hanning(WINDOW))) ** 2 @ weights.T


def _loudness(audio: Audio) -> float:
    """BS.1770-4: K-weighting (its two filters at 48 kHz, here on the spectrum), 400 ms blocks, both gates."""
    spectrum = np.fft.rfft(audio.astype(np.float64), axis=1)
    z = np.exp(-1j * np.linspace(0.0, np.pi, spectrum.shape[1]))
    shelf = _filter(z, (1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585))
    high = _filter(z, (1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621))
    weighted = np.fft.irfft(spectrum * shelf * high, audio.shape[1], axis=1)
    blocks = np.lib.stride_tricks.sliding_window_view(weighted, RATE * 2 // 5, axis=1)[:, :: RATE // 10]
    power = np.mean(blocks**2, axis=2).sum(0)
    audible = power[_lufs(power) > -70.0]
    if audible.size == 0:
        return -70.0
    return float(_lufs(audible[_lufs(audible) > _lufs(audible.mean()) - 10.0].mean()))


def _filter(z: NDArray[np.complex128], b: tuple[float, ...], a: tuple[float, ...]) -> NDArray[np.complex128]:
    return (b[0] + b[1] * z + b[2] * z * z) / (1.0 + a[0] * z + a[1] * z * z)


def _lufs(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return -0.691 + 10.0 * np.log10(power + 1e-12)


def main() -> None:
    """The table of docs/presets.md."""
    print("| preset | LUFS | brightness, Hz | onsets a second | nearest, dB |\n|---|---|---|---|---|")
    heard = [(preset.about.name, it) for preset, it in bounces(4.0)]
    for name, it in heard:
        near = min((it.distance(other), said) for said, other in heard if said != name)
        print(f"| {name} | {it.loudness:.1f} | {it.brightness:.0f} | {it.onsets:.1f} | {near[1]} {near[0]:.1f} |")


if __name__ == "__main__":
    main()
