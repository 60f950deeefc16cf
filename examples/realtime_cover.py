"""A cover that is played while it is made, and changed while it plays.

You will hear the loop, window by window, each decoded from the newest latent there is when its turn comes. On the way a
second prompt and the structure of a second song fade in, one LoRA hands over to another, from half time on every step
in flight reaches further, and the last eighth stays the loop itself.
"""

from dataclasses import replace

import numpy as np
from kit import BPM, KEY, Audio, arpeggio, run

import engine

WINDOW = 10  # frames, 0.4 s
SEAM = 480  # samples, 10 ms
LORAS = ("slow-tide", "glass-bells")


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    frames = source.frames
    other = session.prepare_source(arpeggio(song.shape[1] / engine.SAMPLE_RATE), frames=frames)
    house, bells = (
        session.encode_text(words, bpm=BPM, key=KEY, duration=frames / 25, timbre=other, timbre_strength=0.5)
        for words in ("house, kick, hats, saw bass", "ambient, pad chords, fm bells")
    )
    request = engine.Request(
        conditioning=house,
        conditioning_b=bells,
        source=source,
        frames=frames,
        seed=1528,
        denoise=0.8,
        mask=np.where(np.arange(frames) < frames * 7 // 8, 1.0, 0.0).astype(np.float32),
        velocity_scale=1.0 + 0.1 * np.sin(np.linspace(0.0, 8.0 * np.pi, frames, dtype=np.float32)),
        dcw=engine.Dcw(),
    )
    for name in LORAS:
        session.loras.enable(name, 0.0)
    windows: list[Audio] = []
    with session.stream(request, depth=4) as handle:
        newest = [*handle.tick(), *handle.flush()][-1].latent  # the first latent takes all of its steps at once
        for start in range(0, frames - WINDOW + 1, WINDOW):
            now = start / frames
            hints = session.blend_latents(source.hints, other.hints, 0.6 * now)
            handle.request = replace(handle.request, prompt_blend=now, hints=hints)
            session.loras.set_strength(LORAS[0], 1.0 - now)
            session.loras.set_strength(LORAS[1], now)
            if now >= 0.5:
                handle.set_shared("velocity_scale", 1.1)
            for finished in [*handle.tick(), *handle.tick()]:
                newest = finished.latent
            windows.append(handle.decode(newest, start, WINDOW + 1, cyclic=True))
    session.remove_loras()
    return joined(windows)


def joined(windows: list[Audio]) -> Audio:
    """The windows one after another, each crossing over from the last frame of the one before."""
    step = WINDOW * engine.FRAME_SAMPLES
    audio = np.concatenate([window[:, :step] for window in windows], axis=1)
    rise = np.linspace(0.0, 1.0, SEAM, dtype=np.float32)
    for index, before in enumerate(windows[:-1], start=1):
        tail = before[:, step : step + SEAM]
        audio[:, index * step : index * step + SEAM] = tail + rise * (windows[index][:, :SEAM] - tail)
    return audio


if __name__ == "__main__":
    run(example)
