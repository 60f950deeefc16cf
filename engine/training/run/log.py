"""The log of a run: a line of JSON per step."""

import json
from pathlib import Path
from typing import TypeAlias

Row: TypeAlias = dict[str, float]


class Log:
    """Lines that are added to a file."""

    def __init__(self, path: Path) -> None:
        """Add to the file at `path`, which is made with its first line."""
        self._path = path

    def add(self, row: Row) -> None:
        """Add a line; numbers keep five digits."""
        short = {name: float(f"{value:.5g}") for name, value in row.items()}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(short) + "\n")


def read(path: Path) -> list[Row]:
    """The lines of a log, in order; a line that a power cut left half is not one of them."""
    rows: list[Row] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows
