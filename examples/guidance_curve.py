"""Classifier-free guidance that grows over the song.

You will hear the prompt insist more and more: at 1 there is no guidance at all, at 4 each step is pushed four times as
far away from "no prompt". APG keeps it from getting loud, the rescale from getting harsh.
"""

import numpy as np
from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text("house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=source.frames / 25)
    request = engine.Request(
        conditioning=prompt,
        negative=session.null_conditioning(prompt),
        guidance=np.linspace(1.0, 4.0, 64, dtype=np.float32),
        guidance_mode="initialize",  # one forward of the negative prompt for the whole generation
        cfg_rescale=0.5,
        source=source,
        frames=source.frames,
        seed=1528,
        denoise=0.8,
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
