"""Sixteen steps of a bar as text.

`.` is a rest and `-` holds what sounded. `X`, `x` and `o` play everything the part has, loud, normal and soft; a digit
plays that note of the chord, counted from its lowest, an octave higher where the chord has no more.
"""

from dataclasses import dataclass
from typing import Final

STEPS: Final = 16

_LEVELS: Final = {"X": 1.0, "x": 0.8, "o": 0.5}


@dataclass(frozen=True)
class Hit:
    """One hit of a pattern.

    Attributes:
        step: 0 .. 15, where it starts.
        steps: how long it is held, at least 1.
        tone: which note of the chord, or None for all of them.
        level: 0 .. 1.
    """

    step: int
    steps: int
    tone: int | None
    level: float


def parse(text: str) -> tuple[Hit, ...]:
    """The hits of a bar, in order.

    Raises:
        ValueError: not 16 steps, an unknown sign, or a hold of nothing.
    """
    if len(text) != STEPS:
        raise ValueError(f"{text!r} has {len(text)} steps, not {STEPS}")
    hits: list[Hit] = []
    sounding = False
    for step, sign in enumerate(text):
        if sign == "-":
            if not sounding:
                raise ValueError(f"{text!r} holds nothing at step {step}")
            hits[-1] = Hit(hits[-1].step, hits[-1].steps + 1, hits[-1].tone, hits[-1].level)
            continue
        sounding = sign != "."
        if sounding:
            hits.append(_hit(text, step, sign))
    return tuple(hits)


def _hit(text: str, step: int, sign: str) -> Hit:
    if sign in _LEVELS:
        return Hit(step, 1, None, _LEVELS[sign])
    if sign.isdecimal() and sign.isascii():
        return Hit(step, 1, int(sign), _LEVELS["x"])
    raise ValueError(f"{text!r} has the unknown sign {sign!r} at step {step}")
