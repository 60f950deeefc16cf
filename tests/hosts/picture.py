"""What is on a picture of the screen."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ACCENT = (0x5C, 0xD6, 0xC0)  # crates/editor/src/page/style.rs
WARN = (0xF0, 0xB8, 0x62)

Pixels = NDArray[np.uint8]


def pixels(path: str | Path) -> Pixels:
    """[height, width, 3]."""
    return np.asarray(Image.open(path).convert("RGB"))


def is_colour(image: Pixels, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Where a picture has a colour."""
    return (np.abs(image.astype(int) - colour) <= 2).all(axis=2)


def accent(image: Pixels) -> int:
    """Pixels of the page's accent colour."""
    return int(is_colour(image, ACCENT).sum())


def width(image: Pixels) -> int:
    """Columns that are not black: the window's, on a screen without a background."""
    return int(np.flatnonzero((image.sum(axis=2) > 0).any(axis=0)).size)
