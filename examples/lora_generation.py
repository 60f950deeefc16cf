"""A LoRA: a small file that bends the model toward one timbre.

You will hear the cover's basses, pads and plucks as glass bells. The strength is a plain number that may change at any
step, and at 0 it is bit for bit as if the LoRA were not there; `session.loras.register(FOLDER)` adds your own.
"""

from kit import BPM, KEY, Audio, run

import engine


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text("house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=source.frames / 25)
    request = engine.Request(
        conditioning=prompt,
        source=source,
        frames=source.frames,
        seed=1528,
        denoise=0.8,
        loras={"glass-bells": 1.0},  # one that comes with the checkpoint
    )
    return session.decode_all(session.generate(request))


if __name__ == "__main__":
    run(example)
