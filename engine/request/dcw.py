"""DCW, differential correction in the wavelet domain: what is asked for."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.checks import number, text
from engine.errors import RequestError
from engine.request.curves import Curve, sample
from engine.request.fields import one_of, share

DCW_MODES: Final = ("low", "high", "double", "pix")


@dataclass(frozen=True, eq=False, kw_only=True)
class Dcw:
    """A correction after every step, along the difference between the latent and the clean one the model saw in it.

    The difference is split over time into a low and a high band by one level of a wavelet transform.

    Attributes:
        mode: "low" and "high" correct one band, "double" both, "pix" the latent itself.
        scaler: curve, finite; strength, times t in the low band and times 1 - t for "high". 0 is off.
        high_scaler: curve, finite; strength in the high band of "double", times 1 - t.
        wavelet: "haar", or any other discrete wavelet that PyWavelets names, such as "db4" or "sym8". "pix" uses none.
        mult_blend: 0 .. 1, from adding the difference (0) to scaling the latent's band by its sign (1).
        mag_phase: 0 .. 1, from that to moving magnitude and phase of the band's analytic signal apart (1).
        soft_thresh: >= 0, differences are drawn to 0 by this much before they count; their sign stays.
            The last three do nothing at 0, and nothing in "pix".
    """

    mode: str = "double"
    scaler: Curve = 0.05
    high_scaler: Curve = 0.02
    wavelet: str = "haar"
    mult_blend: float = 0.0
    mag_phase: float = 0.0
    soft_thresh: float = 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class CheckedDcw:
    """A Dcw that was checked: curves are [T] float32 copies, the rest is as in Dcw."""

    mode: str
    scaler: NDArray[np.float32]
    high_scaler: NDArray[np.float32]
    wavelet: str
    mult_blend: float
    mag_phase: float
    soft_thresh: float


def checked(dcw: object, frames: int) -> CheckedDcw | None:
    """Check every field of a Dcw and freeze it.

    Raises:
        RequestError: names the first field that is wrong, its value and the fix.
    """
    if dcw is None:
        return None
    if not isinstance(dcw, Dcw):
        raise RequestError("dcw", type(dcw).__name__, "is not a Dcw", "Pass engine.Dcw(...), or None.")
    return CheckedDcw(
        mode=one_of("dcw.mode", dcw.mode, DCW_MODES),
        scaler=sample(dcw.scaler, frames, "dcw.scaler"),
        high_scaler=sample(dcw.high_scaler, frames, "dcw.high_scaler"),
        wavelet=_wavelet(dcw.wavelet),
        mult_blend=share("dcw.mult_blend", dcw.mult_blend),
        mag_phase=share("dcw.mag_phase", dcw.mag_phase),
        soft_thresh=_threshold(dcw.soft_thresh),
    )


def _wavelet(name: object) -> str:
    if text("dcw.wavelet", name) == "haar":
        return "haar"
    import pywt  # only for those who ask for another wavelet

    library: Any = pywt
    if name not in library.wavelist(kind="discrete"):
        fix = "Use haar, or a name of pywt.wavelist(kind='discrete') such as db4, sym8 or bior2.2."
        raise RequestError("dcw.wavelet", name, "is not a discrete wavelet", fix)
    return str(name)


def _threshold(value: object) -> float:
    threshold = number("dcw.soft_thresh", value, "Pass a number of at least 0.")
    if threshold < 0.0:
        raise RequestError("dcw.soft_thresh", threshold, "is below 0", "Pass a number of at least 0.")
    return threshold
