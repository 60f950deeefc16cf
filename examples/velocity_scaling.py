"""How far every frame travels in each step, as a curve.

You will hear the cover lean back and push forward twice: below 1 a frame stops short of what the model wants and stays
rough, above 1 it overshoots and gets denser.
"""

import numpy as np
from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text("house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=source.frames / 25)
    wave = 1.0 + 0.2 * np.sin(np.linspace(0.0, 4.0 * np.pi, source.frames))
    request = engine.Request(
        conditioning=prompt,
        source=source,
        frames=source.frames,
        seed=1528,
        denoise=0.8,
        velocity_scale=wave.astype(np.float32),
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
