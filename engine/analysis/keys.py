"""Keys: how well each of the 24 fits what sounds."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

NOTES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
"""Names of the pitch classes, 0 = C."""

# How well each note above the tonic fits, as listeners rated it: Krumhansl and Kessler, 1982.
_PROFILES: Final = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def key_fits(chroma: NDArray[np.floating]) -> dict[str, float]:
    """Correlation of a chroma [12], not all equal, with the profile of each key, by name, such as "F# minor"."""
    return {
        f"{note} {mode}": float(np.corrcoef(np.roll(profile, tonic), chroma)[0, 1])
        for tonic, note in enumerate(NOTES)
        for mode, profile in _PROFILES.items()
    }
