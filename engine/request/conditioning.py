"""What the DiT attends to: encoded prompt, lyrics and timbre."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.checks import frozen
from engine.errors import RequestError
from engine.request.fields import share


@dataclass(frozen=True, eq=False)
class Conditioning:
    """Encoder states of one prompt. `Session.encode_text` makes them.

    Attributes:
        states: [L, D] float32, read-only; D is the checkpoint's encoder width.
        mask: [L] bool, read-only; False marks padding, which has no influence on anything. Encoded prompts have none.

    Raises:
        RequestError: wrong shape, not finite, or nothing but padding.
    """

    states: NDArray[np.float32]
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        states = frozen(self.states, (None, None), "conditioning.states")
        mask = np.array(self.mask, dtype=np.bool_)
        if mask.shape != (states.shape[0],):
            raise RequestError(
                "conditioning.mask",
                f"array{list(mask.shape)}",
                "does not match the states",
                f"Pass an array [{states.shape[0]}].",
            )
        if not mask.any():
            raise RequestError("conditioning.mask", "all False", "leaves nothing to attend to", "Mark a row True.")
        mask.setflags(write=False)
        object.__setattr__(self, "states", states)
        object.__setattr__(self, "mask", mask)


def blend_conditionings(a: Conditioning, b: Conditioning, alpha: float = 0.5) -> Conditioning:
    """(1 - alpha) a + alpha b, row by row: a crossfade of two prompts that costs one forward.

    The shorter is filled up with rows of zeros. A row is padding where it is padding in both. Rows at one place are
    unrelated words, so what lies between the ends is for the ear to judge; `Request.prompt_blend` mixes velocities.

    Args:
        a, b: of one checkpoint.
        alpha: 0 .. 1; at 0 and 1 the very a and b are returned.

    Raises:
        RequestError: widths that differ, or alpha.
    """
    part = share("alpha", alpha)
    _check_widths(a, b)
    if part in {0.0, 1.0}:
        return b if part else a
    rows = max(a.mask.size, b.mask.size)
    (first, first_mask), (second, second_mask) = _rows(a, rows), _rows(b, rows)
    return Conditioning(states=_mixed(first, second, part), mask=first_mask | second_mask)


def average_conditionings(a: Conditioning, b: Conditioning, weight: float = 0.5) -> Conditioning:
    """(1 - weight) a + weight b with the rows and the mask of a: b is cut, or filled up with rows of zeros.

    Args:
        a, b: of one checkpoint.
        weight: 0 .. 1; at 0 the very a is returned.

    Raises:
        RequestError: widths that differ, or weight.
    """
    part = share("weight", weight)
    _check_widths(a, b)
    if part == 0.0:
        return a
    second, _ = _rows(b, a.mask.size)
    return Conditioning(states=_mixed(a.states, second, part), mask=a.mask)


def _mixed(a: NDArray[np.float32], b: NDArray[np.float32], part: float) -> NDArray[np.float32]:
    return np.asarray((1.0 - part) * a + part * b, dtype=np.float32)


def _rows(conditioning: Conditioning, rows: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """States and mask cut or filled up to so many rows; padding is zeros, whatever it was."""
    kept = min(rows, conditioning.mask.size)
    states = np.zeros((rows, conditioning.states.shape[1]), np.float32)
    mask = np.zeros(rows, np.bool_)
    mask[:kept] = conditioning.mask[:kept]
    states[mask] = conditioning.states[:kept][mask[:kept]]
    return states, mask


def _check_widths(a: Conditioning, b: Conditioning) -> None:
    if a.states.shape[1] != b.states.shape[1]:
        problem = f"is not {a.states.shape[1]} wide as a is"
        raise RequestError("b", f"states{list(b.states.shape)}", problem, "Encode both prompts with one session.")
