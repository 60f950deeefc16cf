"""The product's one parameter table as the host tests read it: from the file, never from the code under test."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Parameter:
    """One row of `plugin_bridge/parameters.toml`; `steps` 0 means continuous."""

    id: int
    key: str
    name: str
    min: float
    max: float
    default: float
    curve: str
    steps: int
    choices: tuple[str, ...]

    def normal(self, plain: float) -> float:
        """The 0..1 value that a VST3 host sends for the plain value."""
        return (plain - self.min) / (self.max - self.min)

    def plain(self, normal: float) -> float:
        """The plain value that a VST3 host's 0..1 value stands for."""
        return self.min + normal * (self.max - self.min)


def _read() -> dict[str, Parameter]:
    rows = tomllib.loads((ROOT / "plugin_bridge" / "parameters.toml").read_text())["parameter"]
    names = Parameter.__dataclass_fields__
    table = {}
    for row in rows:
        known = {k: v for k, v in row.items() if k in names}
        table[row["key"]] = Parameter(**{"steps": 0, **known, "choices": tuple(row.get("choices", ()))})
    return table


TABLE = _read()
STATUS = TABLE["status"].choices
