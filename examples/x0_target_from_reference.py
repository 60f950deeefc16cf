"""A target made from text alone, and a cover that leans toward it.

You will hear the loop's cover with the colour of a piece that never existed: it is generated first, without any source,
and in the second half of the steps it takes a share of every frame.
"""

from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    seconds = source.frames / 25
    words = session.encode_text("ambient, pad chords, fm bells", task="text2music", bpm=BPM, key=KEY, duration=seconds)
    reference = session.generate(engine.Request(conditioning=words, frames=source.frames, seed=7))
    prompt = session.encode_text("house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=seconds)
    request = engine.Request(
        conditioning=prompt,
        source=source,
        frames=source.frames,
        seed=1528,
        denoise=0.8,
        x0_target=reference,
        x0_strength=0.4,
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
