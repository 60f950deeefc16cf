"""Repainting: a span of a source that is made anew."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.checks import whole
from engine.errors import RequestError
from engine.request.request import Request


def repainted(request: Request, silence: NDArray[np.float32], start: int, end: int, preserve: bool) -> Request:
    """The request with the context, the chunk mask and, if asked for, the mask of a repaint; see `Session.repaint`.

    Args:
        request: with a source of its length.
        silence: [T, 64].
        start, end: frames of the span.
        preserve: keep what is outside, bit for bit.

    Raises:
        RequestError: no source, or a span outside it.
    """
    if request.source is None:
        raise RequestError("source", None, "is needed to repaint", "Give the request a source.")
    last = whole("end", end, 1, request.frames)
    first = whole("start", start, 0, last - 1)
    span = np.zeros(request.frames, np.float32)
    span[first:last] = 1.0
    context = np.where(span[:, None] == 1.0, silence, request.source.latent)
    return replace(request, hints=context, chunk_mask=span, mask=span if preserve else request.mask)
