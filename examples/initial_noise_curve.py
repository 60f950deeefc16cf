"""What the first step starts from, frame by frame: the source, or noise.

You will hear the loop dissolve: its beginning starts from the source itself and can hardly change, its end from pure
noise and is free. One denoise for the whole song could not do both.
"""

import numpy as np
from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text("ambient, pad chords, fm bells", bpm=BPM, key=KEY, duration=source.frames / 25)
    request = engine.Request(
        conditioning=prompt,
        source=source,
        frames=source.frames,
        seed=1528,
        initial_noise=np.linspace(0.2, 1.0, 64, dtype=np.float32),
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
