"""A whole song at once."""

import numpy as np
from numpy.typing import NDArray

from engine.request.request import Request
from engine.session import Session
from engine.song.regions import OVERLAP, REGION
from engine.song.stream import SongStream


def generate_song(
    session: Session,
    request: Request,
    *,
    region: int = REGION,
    overlap: int = OVERLAP,
    bar: float | None = None,
    depth: int = 2,
) -> NDArray[np.float32]:
    """A whole song in regions: what a `SongStream` of it plays, bit for bit, as [frames, 64] float32, read-only.

    A song not longer than the region is `Session.generate`, bit for bit.

    Args:
        session, request, region, overlap, bar, depth: see `SongStream`.

    Raises:
        RequestError: a field of the request or an argument is wrong.
        EngineError: a region failed.
    """
    with SongStream(session, request, region=region, overlap=overlap, bar=bar, depth=depth) as song:
        return song.render(0, song.plan.frames)
