"""Makes loop.flac, the demo's music: 16 s, stereo, 48 kHz, eight bars of house at 120 beats a minute.

Everything is synthesised here, so the loop is ours to give away (ORIGIN.md). The weight lies below 600 Hz, where the
small checkpoint's autoencoder is faithful. The same numpy gives the same bytes.

usage: .venv/bin/python demo/make_loop.py [OUT.flac]
"""

import sys
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 48_000
BARS = 8
BEAT = RATE // 2  # 120 beats a minute: a bar is 2 s, or 50 latent frames, so the loop is whole bars and whole frames
SIXTEENTH = BEAT // 4
LENGTH = BARS * 4 * BEAT
PEAK = 10 ** (-3 / 20)

# Roots and chords as MIDI notes, one chord a bar: Am7, Fmaj7, Cmaj7, G6.
ROOTS = [33, 29, 36, 31]
CHORDS = [(57, 60, 64, 67), (53, 57, 60, 64), (55, 60, 64, 71), (55, 59, 62, 64)]

Mono = NDArray[np.float64]
Stereo = NDArray[np.float64]  # [2, samples]


def hertz(note: float) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


def seconds(count: int) -> Mono:
    return np.arange(count) / RATE


def pluck_envelope(count: int, attack: float, decay: float) -> Mono:
    """Rises over `attack` seconds, then falls to 1/e in `decay`, and ends at zero."""
    time = seconds(count)
    fade = np.minimum(1.0, (count - np.arange(count)) / (0.005 * RATE))
    return np.minimum(time / attack, 1.0) * np.exp(-time / decay) * fade


def harmonics(frequency: float, count: int, cutoff: float, odd: bool = False) -> Mono:
    """A saw (or, with `odd`, a square) as a sum of sines that a second-order low-pass at `cutoff` Hz has dimmed."""
    time = seconds(count)
    wave = np.zeros(count)
    for k in range(1, int(min(40, 12_000 / frequency)) + 1):
        if odd and k % 2 == 0:
            continue
        wave += np.sin(2 * np.pi * frequency * k * time) / k / np.sqrt(1 + (frequency * k / cutoff) ** 4)
    return wave


def kick() -> Mono:
    count = int(0.4 * RATE)
    time = seconds(count)
    phase = 2 * np.pi * (47 * time + 170 * 0.03 * (1 - np.exp(-time / 0.03)))
    body = np.tanh(1.6 * np.sin(phase)) * pluck_envelope(count, 0.001, 0.16)
    click = np.sin(2 * np.pi * 1500 * time) * np.exp(-time / 0.003)
    return body + 0.15 * click


def noise(count: int, seed: int) -> Mono:
    """White noise without its low end: the difference of neighbouring samples."""
    return np.diff(np.random.Generator(np.random.PCG64(seed)).standard_normal(count + 1)) / 2


def hat(decay: float, seed: int) -> Mono:
    count = int(6 * decay * RATE)
    return noise(count, seed) * pluck_envelope(count, 0.001, decay)


def clap() -> Mono:
    count = int(0.22 * RATE)
    time = seconds(count)
    starts = [(0.0, 0.005), (0.010, 0.005), (0.021, 0.055)]
    envelope = sum(np.where(time >= at, np.exp(-np.maximum(time - at, 0) / decay), 0.0) for at, decay in starts)
    body = np.sin(2 * np.pi * 210 * time) * np.exp(-time / 0.04)
    return noise(count, 5) * envelope * 0.8 + 0.3 * body


def bass(note: int, sixteenths: int) -> Mono:
    count = int(sixteenths * SIXTEENTH * 0.92)
    tone = harmonics(hertz(note), count, 260) + 0.5 * np.sin(2 * np.pi * hertz(note) * seconds(count))
    return tone * pluck_envelope(count, 0.004, 0.35)


def stab(chord: tuple[int, ...]) -> Stereo:
    count = int(0.34 * RATE)
    left = sum(harmonics(hertz(note) * 0.9985, count, 700) for note in chord)
    right = sum(harmonics(hertz(note) * 1.0015, count, 700) for note in chord)
    return np.stack([left, right]) * pluck_envelope(count, 0.004, 0.11)


def pad(chord: tuple[int, ...]) -> Stereo:
    count = 4 * BEAT + BEAT // 2
    time = seconds(count)
    swell = np.minimum(1, time / 0.5) * np.minimum(1, (count / RATE - time) / 0.5)
    voices = [harmonics(hertz(note - 12) * detune, count, 420) for note in chord for detune in (0.997, 1.003)]
    return np.stack([sum(voices[0::2]), sum(voices[1::2])]) * swell


def arpeggio(note: int) -> Mono:
    count = int(0.3 * RATE)
    return harmonics(hertz(note), count, 1100, odd=True) * pluck_envelope(count, 0.003, 0.09)


class Mix:
    """A loop that wraps: what rings over the end comes back at the start."""

    def __init__(self) -> None:
        self.audio: Stereo = np.zeros((2, LENGTH))

    def add(self, sound: NDArray[np.float64], at: int, gain: float, pan: float = 0.0) -> None:
        """Mix in mono or stereo `sound` at sample `at`; `pan` -1 is left, 1 right, at constant power."""
        angle = (pan + 1) * np.pi / 4
        where = (at + np.arange(sound.shape[-1])) % LENGTH
        left, right = np.broadcast_to(sound, (2, sound.shape[-1])) * gain * np.sqrt(2)
        np.add.at(self.audio[0], where, left * np.cos(angle))
        np.add.at(self.audio[1], where, right * np.sin(angle))


def drums(mix: Mix) -> None:
    kick_, clap_, open_ = kick(), clap(), hat(0.09, 3)
    closed = [hat(0.018, seed) for seed in (1, 2)]
    for beat in range(BARS * 4):
        at = beat * BEAT
        mix.add(kick_, at, 0.95)
        mix.add(open_, at + BEAT // 2, 0.16, 0.25)
        if beat % 2 == 1:
            mix.add(clap_, at, 0.42, -0.1)
        if beat >= 8:
            for step in range(4):
                mix.add(closed[step % 2], at + step * SIXTEENTH, (0.14, 0.07, 0.1, 0.09)[step], -0.3)
    for step, gain in enumerate((0.25, 0.3, 0.36)):  # the fill that leads back to the first bar
        mix.add(clap_, LENGTH - (3 - step) * SIXTEENTH, gain, 0.3 * (step - 1))


def music(mix: Mix) -> None:
    for bar in range(BARS):
        start, root, chord = bar * 4 * BEAT, ROOTS[bar % 4], CHORDS[bar % 4]
        for step, octave, length in [(2, 0, 2), (6, 0, 1), (7, 12, 1), (10, 0, 2), (13, 12, 1), (14, 0, 2)]:
            mix.add(bass(root + octave, length), start + step * SIXTEENTH, 0.34)
        mix.add(pad(chord), start, 0.055)
        if bar >= 2:
            for step in (3, 6, 11):
                mix.add(stab(chord), start + step * SIXTEENTH, 0.14)
        if bar >= 4:
            for step in range(16):
                note = chord[(step * 3) % 4] + (12 if step % 8 >= 4 else 0)
                pan = 0.55 if step % 2 else -0.55
                mix.add(arpeggio(note), start + step * SIXTEENTH, 0.17, pan)
                mix.add(arpeggio(note), start + (step + 3) * SIXTEENTH, 0.06, -pan)  # a dotted-eighth echo


def make() -> NDArray[np.float32]:
    """The loop, [2, 768000], peak -3 dBFS."""
    rhythm, tones = Mix(), Mix()
    drums(rhythm)
    music(tones)
    into_beat = np.arange(LENGTH) % BEAT / BEAT
    ducked = tones.audio * (0.35 + 0.65 * np.minimum(1, into_beat / 0.45))  # room for the kick
    audio = np.tanh(1.1 * (rhythm.audio + ducked))
    return (audio * (PEAK / np.abs(audio).max())).astype(np.float32)


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("loop.flac")
    soundfile.write(target, make().T, RATE, subtype="PCM_16")
    print(target)


if __name__ == "__main__":
    main()
