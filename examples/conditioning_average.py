"""Two prompts fused into one.

You will hear one cover that belongs to both prompts at once. The encoded words are averaged, so it costs one forward
per step where a prompt blend costs two.
"""

from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    house, bells = (
        session.encode_text(words, bpm=BPM, key=KEY, duration=source.frames / 25)
        for words in ("house, kick, hats, saw bass", "ambient, pad chords, fm bells")
    )
    both = engine.average_conditionings(house, bells, 0.5)
    latent = session.generate(
        engine.Request(conditioning=both, source=source, frames=source.frames, seed=1528, denoise=0.8)
    )
    return session.decode_all(latent)


if __name__ == "__main__":
    run(example)
