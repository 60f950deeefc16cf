"""The structure of two songs, blended.

You will hear the loop's beat give way to the climbing bells of another song, in the sounds of one prompt: hints are
what the DiT knows of a song's structure, and here they are a mix of two that moves over time.
"""

import numpy as np
from kit import BPM, KEY, Audio, arpeggio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    other = session.prepare_source(arpeggio(song.shape[1] / engine.SAMPLE_RATE), frames=source.frames)
    prompt = session.encode_text("house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=source.frames / 25)
    request = engine.Request(
        conditioning=prompt,
        hints=session.blend_latents(source.hints, other.hints, np.linspace(0.0, 1.0, 64, dtype=np.float32)),
        frames=source.frames,
        seed=1528,
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
