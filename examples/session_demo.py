"""One session, one encoded source, one encoded prompt, three seeds.

You will hear the loop covered three times in a row. Source and prompt are encoded once; each take costs only its steps
and its decode. Tempo and key are asked of the audio itself.
"""

import numpy as np
from kit import Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    info = session.audio_info(song)
    source = session.prepare_source(song)
    prompt = session.encode_text(
        "house, kick, hats, saw bass", bpm=info.bpm, key=info.key, duration=info.duration, timbre=source
    )
    takes = [
        session.generate(
            engine.Request(conditioning=prompt, source=source, frames=source.frames, seed=seed, denoise=0.8)
        )
        for seed in (1528, 9999, 42)
    ]
    return np.concatenate([session.decode_all(take) for take in takes], axis=1)


if __name__ == "__main__":
    run(example)
