"""A stochastic solver whose freedom grows over the song.

You will hear the loop almost as it is at first, because every step is drawn back to the source there, and the prompt
take over toward the end, where the curve is 1 and each step is noised anew from what the model made of it.
"""

import numpy as np
from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text("house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=source.frames / 25)
    request = engine.Request(
        conditioning=prompt,
        source=source,
        frames=source.frames,
        seed=1528,
        sde_denoise=np.linspace(0.1, 1.0, source.frames, dtype=np.float32),
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
