"""Live changes: what acts on a generation besides its request, from which of its steps on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.checks import number, text, whole
from engine.errors import RequestError
from engine.request.request import MAX_STEPS
from engine.request.snapshot import LIVE, live_curve

LORA: Final = "lora:"
"""What the name of a LoRA's strength begins with."""

Value: TypeAlias = NDArray[np.float32] | float
Overrides: TypeAlias = Mapping[str, Value]
"""What is in force in place of a request's own values: curves [T] read-only, and strengths of LoRAs."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Change:
    """From one step of a generation on, a value in place of the one that its request has.

    Attributes:
        step: 0, 1, ..., the first step that it acted in.
        name: as in `Stream.set_shared`.
        value: curve [T] float32, read-only, or the strength of a LoRA; None: what the request says, again.
    """

    step: int
    name: str
    value: Value | None


def checked_name(name: object) -> str:
    """A name that can be changed live.

    Raises:
        RequestError: it is not one.
    """
    known = text("name", name)
    if known not in LIVE and not (known.startswith(LORA) and len(known) > len(LORA)):
        fix = f"Use one of {', '.join(LIVE)}, or {LORA}<name>."
        raise RequestError("name", known, "cannot be shared", fix)
    return known


def checked_value(name: str, value: ArrayLike, frames: int) -> Value:
    """A curve evaluated at every frame, or a LoRA's strength.

    Raises:
        RequestError: not one, or out of range.
    """
    if name.startswith(LORA):
        return number(name, value, "Pass a finite number; 0 is off.")
    curve = live_curve(name, value, frames)
    curve.setflags(write=False)
    return curve


def checked_log(changes: object, frames: int) -> tuple[Change, ...]:
    """A log to replay.

    Raises:
        RequestError: not a sequence of Change, or one of them is wrong.
    """
    fix = "Pass the changes of a Finished."
    if not isinstance(changes, Sequence):
        raise RequestError("changes", type(changes).__name__, "is not a list", fix)
    found: list[Change] = []
    for change in cast(Sequence[object], changes):
        if not isinstance(change, Change):
            raise RequestError("changes", type(change).__name__, "is not a Change", fix)
        name = checked_name(change.name)
        value = None if change.value is None else checked_value(name, change.value, frames)
        found.append(Change(step=whole("changes.step", change.step, 0, MAX_STEPS - 1), name=name, value=value))
    return tuple(found)


def in_force(changes: Sequence[Change], step: int) -> dict[str, Value]:
    """What a log says for a step."""
    values: dict[str, Value | None] = {}
    for change in changes:
        if change.step <= step:
            values[change.name] = change.value
    return {name: value for name, value in values.items() if value is not None}
