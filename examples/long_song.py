"""A song of any length in regions that move with the playhead, then one passage of it anew.

You will hear one song and not its pieces, however long (`--seconds 120`): neighbouring regions share the noise of the
frames that they share, and cross over before a bar line. The bar in the middle is another take, generated in the
context of all that stays around it.
"""

from dataclasses import replace

import numpy as np
from kit import BPM, KEY, Audio, run

import engine
from engine.song.regions import bar_frames


def example(session: engine.Session, song: Audio) -> Audio:
    source = session.prepare_source(song)
    prompt = session.encode_text("house, kick, hats, saw bass", bpm=BPM, key=KEY, duration=source.frames / 25)
    request = engine.Request(conditioning=prompt, source=source, frames=source.frames, seed=1528, denoise=0.8)

    with engine.SongStream(session, request, region=200, overlap=20, bar=bar_frames(BPM)) as stream:
        heard: list[np.ndarray] = []
        for playhead in range(0, request.frames, 10):
            stream.move(playhead)
            while (piece := stream.window(playhead, 10)) is None:
                stream.tick()  # what comes after it is under way already
            heard.append(piece)
    latent = np.concatenate(heard)

    bar = round(bar_frames(BPM))
    first = request.frames // 2 // bar * bar
    frozen = engine.FrozenSong(session, request)  # one generation of everything; what a passage attends to
    passage = frozen.generate(replace(request, seed=7), first, min(bar, request.frames - first))
    print(f"{len(stream.plan.regions)} regions; one bar anew, approximate since {passage.changes} changed")
    latent[first : first + len(passage.latent)] = passage.latent
    return session.decode_all(latent)


if __name__ == "__main__":
    run(example)
