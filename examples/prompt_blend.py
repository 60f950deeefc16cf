"""Two prompts and a curve that goes from one to the other.

You will hear the cover start as house and turn, frame by frame, into ambient bells. Both prompts are run at every
step and their velocities mixed, so the ends are exactly the one and the other.
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
    request = engine.Request(
        conditioning=house,
        conditioning_b=bells,
        prompt_blend=np.linspace(0.0, 1.0, 64, dtype=np.float32),  # any length: it is spread over the song
        source=source,
        frames=source.frames,
        seed=1528,
        denoise=0.8,
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
