"""Inpainting: only the middle of the song is made anew.

You will hear the loop as it is, then another band for the middle half, then the loop again; what is preserved comes
back bit for bit in the latent. The mask opens a little wider with every step, which softens the seams.
"""

import numpy as np
from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text(
        "ambient, pad chords, fm bells", task="repaint", bpm=BPM, key=KEY, duration=source.frames / 25
    )
    mask = np.zeros(source.frames, np.float32)
    mask[source.frames // 4 : 3 * source.frames // 4] = 1.0
    request = engine.Request(
        conditioning=prompt,
        source=source,
        frames=source.frames,
        seed=1528,
        mask=mask,
        mask_strength=(0.85, 1.0),  # at the first and at the last step
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
