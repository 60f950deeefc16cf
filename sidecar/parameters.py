"""The parameter table of plugin_bridge/parameters.toml, and the arithmetic between plain and normalised values.

The shim does the same arithmetic in float64; both sides are held to it by tests, because a value that differs in its
last bit makes a different bounce. `python -m sidecar.parameters` prints the table for the documentation.
"""

import math
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from sidecar.errors import StateError

QUANTUM: Final = 65_536
"""Steps of a continuous parameter (the header of parameters.toml says why)."""


class Parameter(Struct, frozen=True, kw_only=True):
    """One row of the table. `steps` is None for a continuous parameter, else the number of steps of a stepped one.

    `session`: it is the session's own, so a preset that does not name it leaves it.
    """

    id: Annotated[int, Meta(ge=1, le=2**16 - 1)]
    key: str
    name: str
    module: str
    min: float
    max: float
    default: float
    curve: Literal["lane", "stepped", "status"]
    target: Literal["engine", "output", "shim"]
    text: Literal["percent", "decibel", "factor", "integer", "switch", "choice", "prompt"]
    unit: str = ""
    steps: int | None = None
    choices: list[str] = []
    automatable: bool = True
    session: bool = False

    def quantise(self, plain: float) -> float:
        """The nearest value on the grid: 1/65536 of the range, or a whole number of `steps`; half rounds up.

        A number out of range is clamped, one that is no number becomes the default.
        """
        if math.isnan(plain):
            return self.default
        grid, span = float(QUANTUM if self.steps is None else self.steps), self.max - self.min
        position = math.floor((min(max(plain, self.min), self.max) - self.min) / span * grid + 0.5)
        return self.min + position * (span / grid)

    def normalise(self, plain: float) -> float:
        """0 .. 1."""
        return (self.quantise(plain) - self.min) / (self.max - self.min)

    def plain(self, normal: float) -> float:
        """The quantised plain value of a normalised one."""
        return self.quantise(self.min + normal * (self.max - self.min))

    def display(self, plain: float) -> str:
        """The value as a host shows it, without its unit."""
        value = self.quantise(plain)
        match self.text:
            case "percent":
                return f"{value * 100.0:z.1f}"
            case "decibel":
                return f"{value:z.2f}"
            case "factor":
                return f"{value:z.3f}"
            case "integer":
                return f"{value:.0f}"
            case "switch":
                return "On" if value >= 0.5 else "Off"
            case "choice":
                return self.choices[int(value - self.min)]
            case "prompt":
                return f"{value:.0f}" if value >= 0.5 else "A/B"

    def parse(self, text: str) -> float:
        """The plain value that a text means, with or without the unit; the inverse of `display` up to its rounding.

        Raises:
            StateError: the text is neither a number nor one of the choices.
        """
        words = text.strip().casefold()
        names = {"switch": ["Off", "On"], "choice": self.choices, "prompt": ["A/B"]}.get(self.text, [])
        for index, name in enumerate(names):
            if words == name.casefold():
                return self.min + index
        try:
            value = float(words.removesuffix(self.unit.casefold()).rstrip())
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            wanted = f"one of {', '.join(names)}" if names else f"a number from {self.min:g} to {self.max:g}"
            raise StateError(f"{self.key}: {text!r} is not a value.", f"Use {wanted}.")
        return self.quantise(value / 100.0 if self.text == "percent" else value)


class Table:
    """All parameters in the order of the file."""

    def __init__(self, rows: list[Parameter]) -> None:
        self._by_key = {row.key: row for row in rows}
        self._by_id = {row.id: row for row in rows}

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def __getitem__(self, key: str) -> Parameter:
        return self._by_key[key]

    def get(self, key: str) -> Parameter | None:
        """The row of a key, or None."""
        return self._by_key.get(key)

    def by_id(self, number: int) -> Parameter | None:
        """The row of a parameter's number, or None."""
        return self._by_id.get(number)

    @property
    def keys_saved(self) -> list[str]:
        """Keys that a document saves: all but what the plugin itself reports."""
        return [row.key for row in self if row.curve != "status"]

    @property
    def lanes(self) -> list[Parameter]:
        """Parameters with one value per frame, sent into the model."""
        return [row for row in self if row.curve == "lane"]


class Module(Struct, frozen=True, forbid_unknown_fields=True):
    """A group of parameters: a VST3 unit, a CLAP module."""

    id: Annotated[int, Meta(ge=1, le=999)]
    name: str


class _File(Struct, forbid_unknown_fields=True):
    version: Literal[1]
    main: list[str]
    module: list[Module]
    parameter: list[Parameter]


@cache
def load() -> Table:
    """The table that ships with this package."""
    text = files("plugin_bridge").joinpath("parameters.toml").read_text("utf-8")
    return Table(msgspec.convert(tomllib.loads(text), _File).parameter)


TABLE: Final = load()


PAGE: Final = """\
# Parameters

What a host can show, set and draw. Written by `python -m sidecar.parameters > docs/parameters.md` from
[parameters.toml](../plugin_bridge/parameters.toml); a test fails where this page is older than the table.

*lane*: one value per frame (25 a second), the host's curve at the frame's centre. *stepped*: the curve at the frame's
start. *by hand*: set and saved, but hosts are not offered a lane for it. How curves reach the model:
[automation.md](automation.md).
"""


def markdown() -> str:
    """The table as the documentation shows it."""
    modules = dict.fromkeys(row.module for row in TABLE)
    return "\n".join([PAGE, *("\n".join(_module(module)) for module in modules)])


def _module(module: str) -> list[str]:
    head = ["| id | key | name | range | default | curve | evaluated by |", "|---|---|---|---|---|---|---|"]
    return [f"## {module}", "", *head, *(_row(row) for row in TABLE if row.module == module), ""]


def _row(row: Parameter) -> str:
    by = {"engine": "the sidecar", "output": "the output stage", "shim": "the plugin"}[row.target]
    cells = (
        str(row.id),
        f"`{row.key}`",
        row.name,
        ", ".join(row.choices) or f"{row.display(row.min)} .. {row.display(row.max)} {row.unit}".rstrip(),
        f"{row.display(row.default)} {row.unit}".rstrip(),
        {"status": "read-only"}.get(row.curve, row.curve if row.automatable else f"{row.curve}, by hand"),
        by,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(markdown(), end="")
