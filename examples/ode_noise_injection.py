"""Fresh noise after every step of a deterministic solver, in the second half of the song.

You will hear the first half as in the basic cover, and a rougher, freer second half: noise that is added on the way
gives the model something new to explain at each step.
"""

import numpy as np
from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text("house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=source.frames / 25)
    half = np.where(np.arange(source.frames) < source.frames // 2, 0.0, 0.4)
    request = engine.Request(
        conditioning=prompt,
        source=source,
        frames=source.frames,
        seed=1528,
        denoise=0.8,
        ode_noise=half.astype(np.float32),
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
