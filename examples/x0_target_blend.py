"""Two passes: the second one is drawn toward what the first one made.

You will hear a house cover that becomes, over the length of the song, the ambient version of itself. The curve is the
share of the target at each frame; the pull grows over the steps, so the model keeps both plausible together.
"""

import numpy as np
from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    house, bells = (
        session.encode_text(words, bpm=BPM, key=KEY, duration=source.frames / 25)
        for words in ("house, kick, hats, saw bass", "ambient, pad chords, fm bells")
    )
    target = session.generate(
        engine.Request(conditioning=bells, source=source, frames=source.frames, seed=42, denoise=0.9)
    )
    request = engine.Request(
        conditioning=house,
        source=source,
        frames=source.frames,
        seed=1528,
        denoise=0.8,
        x0_target=target,
        x0_curve=np.linspace(0.0, 0.9, 64, dtype=np.float32),
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
