"""A cover: the loop's bars and chords, played with the sounds of a prompt.

You will hear the loop's rhythm and harmony in other colours: encode, condition, generate, decode.
"""

from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text(
        "house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=source.frames / 25, timbre=source
    )
    latent = session.generate(
        engine.Request(conditioning=prompt, source=source, frames=source.frames, seed=1528, denoise=0.8)
    )
    return session.decode_all(latent)


if __name__ == "__main__":
    run(example)
