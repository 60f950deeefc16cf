"""Automation files of `demon bounce`: the lanes that a host would draw, as JSON.

{"version": 1, "rate": 48000, "lanes": {"denoise": [{"sample": 0, "value": 0.0},
                                                    {"seconds": 8, "value": 1.0, "curve": "ramp"}]}}
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from sidecar.errors import AutomationError, StateError
from sidecar.lane import MAX_BREAKPOINTS
from sidecar.parameters import TABLE, Parameter
from sidecar.records import MAX_SONG


class _Breakpoint(Struct, forbid_unknown_fields=True):
    value: float | str
    sample: Annotated[int, Meta(ge=0, le=MAX_SONG)] | None = None
    seconds: Annotated[float, Meta(ge=0.0, le=1e6)] | None = None
    curve: Literal["step", "ramp"] = "step"


class _File(Struct, forbid_unknown_fields=True):
    version: Literal[1]
    lanes: dict[str, list[_Breakpoint]]
    rate: Annotated[int, Meta(ge=16_000, le=384_000)] | None = None


@dataclass(frozen=True)
class Breakpoint:
    """From `sample` on the parameter is `value` (plain, quantised): at once, or after a linear move."""

    sample: int
    value: float
    ramp: bool


@dataclass(frozen=True)
class Automation:
    """Breakpoints of each parameter in ascending order, at one sample rate."""

    lanes: dict[str, list[Breakpoint]] = field(default_factory=dict[str, list[Breakpoint]])

    def in_order(self) -> list[tuple[str, Breakpoint]]:
        """All breakpoints in the order of their positions, as a host sends them."""
        points = [(key, point) for key, lane in self.lanes.items() for point in lane]
        return sorted(points, key=lambda pair: pair[1].sample)

    def value_at_start(self, key: str, otherwise: float) -> float:
        """The value in force at sample 0."""
        first = [point.value for point in self.lanes.get(key, []) if point.sample == 0]
        return first[-1] if first else otherwise


def read_automation(path: Path, rate: int) -> Automation:
    """An automation file, at the sample rate of a bounce.

    Raises:
        AutomationError: it cannot be read or is not valid; names lane, index, value and fix.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AutomationError(f"{path} cannot be read: {error.strerror}.", "Give the path of a JSON file.") from error
    try:
        return parse_automation(msgspec.json.decode(data), rate)
    except (msgspec.DecodeError, RecursionError) as error:
        raise AutomationError(f"{path} is not JSON: {error}.", "Correct the file.") from error


def parse_automation(data: Any, rate: int) -> Automation:
    """The same from a decoded JSON object.

    Raises:
        AutomationError: as `read_automation`.
    """
    try:
        file = msgspec.convert(data, _File)
    except msgspec.ValidationError as error:
        raise AutomationError(f"automation: {error}.", "Correct this field; docs/automation.md shows one.") from error
    return Automation({key: _lane(key, points, file.rate, rate) for key, points in file.lanes.items()})


def _lane(key: str, points: list[_Breakpoint], file_rate: int | None, rate: int) -> list[Breakpoint]:
    row = TABLE.get(key)
    if row is None or row.target == "shim":
        names = ", ".join(row.key for row in TABLE if row.target != "shim")
        raise AutomationError(f"lanes.{key}: there is no such lane.", f"Use one of {names}.")
    if len(points) > MAX_BREAKPOINTS // 2:
        raise AutomationError(f"lanes.{key}: {len(points)} points.", f"Use at most {MAX_BREAKPOINTS // 2}.")
    lane: list[Breakpoint] = []
    for index, point in enumerate(points):
        where = f"lanes.{key}[{index}]"
        value = _value(row, point.value, where)
        sample = _sample(point, file_rate or rate, rate, where)
        if lane and sample < lane[-1].sample:
            raise AutomationError(f"{where}: sample {sample} is before the point above it.", "Sort points by time.")
        lane.append(Breakpoint(sample, row.quantise(value), point.curve == "ramp"))
    return lane


def _value(row: Parameter, given: float | str, where: str) -> float:
    if isinstance(given, str):
        try:
            return row.parse(given)
        except StateError as error:
            raise AutomationError(f"{where}.value is {given!r}.", error.fix) from error
    if not math.isfinite(given) or not row.min <= given <= row.max:
        raise AutomationError(f"{where}.value is {given}.", f"Keep it between {row.min:g} and {row.max:g}.")
    return given


def _sample(point: _Breakpoint, file_rate: int, rate: int, where: str) -> int:
    if (point.sample is None) == (point.seconds is None):
        raise AutomationError(f"{where} needs a position.", "Give either sample or seconds.")
    if point.sample is not None:
        return (2 * point.sample * rate + file_rate) // (2 * file_rate)  # nearest, half up; exact at equal rates
    return math.floor((point.seconds or 0.0) * rate + 0.5)
