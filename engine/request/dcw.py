"""DCW, differential correction in the wavelet domain: what is asked for."""

from dataclasses import dataclass
from typing import Final

from engine.request.curves import Curve

DCW_MODES: Final = ("low", "high", "double", "pix")


@dataclass(frozen=True, eq=False, kw_only=True)
class Dcw:
    """A correction after every step, along the difference between the latent and the clean one the model saw in it.

    Attributes:
        mode: "low" and "high" correct one band of a haar wavelet over time, "double" both, "pix" the latent itself.
        scaler: curve, finite; strength, times t in the low band and times 1 - t for "high". 0 is off.
        high_scaler: curve, finite; strength in the high band of "double", times 1 - t.
    """

    mode: str = "double"
    scaler: Curve = 0.05
    high_scaler: Curve = 0.02
