"""Opens the plugin's window in pedalboard, and does steps with it. usage: editor_job.py JOB.json

A step is a list: its kind, then what it needs. What steps found is printed as JSON, one list per opening.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
from clip import music
from parameter_table import TABLE
from picture import WARN, accent, is_colour, pixels, width

PATIENCE = 20.0  # seconds that a machine under load may take to show what it was told; nothing is judged here
STILL = 0.2  # seconds between two looks at what has come to rest: six frames of the window
PAINTED = 800  # pixels of accent: the arcs of the knobs
GLOW = 2000  # more of it: a waveform
MARKED = 300  # pixels of what is marked


class Hand:
    """A person before the screen."""

    def __init__(self, plugin: Any) -> None:
        self.plugin = plugin
        self.handle = {p.name: p for p in plugin._parameters}
        self.last: dict[str, float] = {}

    def do(self, kind: str, *rest: Any) -> Any:
        return getattr(self, kind)(*rest)

    def shot(self, path: str) -> None:
        subprocess.run(["import", "-window", "root", path], check=True)

    def painted(self) -> None:
        """Until the window is there."""
        self._until(lambda: accent(self._look()) > PAINTED)
        self.still()

    def still(self) -> None:
        """Until nothing moves any more."""
        before = self._look()

        def rests() -> bool:
            nonlocal before
            time.sleep(STILL)
            seen, before = before, self._look()
            return np.array_equal(seen, before)

        self._until(rests)

    def columns(self) -> int:
        """How wide the window is."""
        return width(self._look())

    def zoom(self, columns: int) -> None:
        """Larger, until the window is this wide."""

        def wide() -> bool:
            if width(self._look()) > columns:
                return True
            self.keys("ctrl+plus")
            return False

        self._until(wide)
        self.still()

    def changed(self, path: str, before: str) -> None:
        """A shot of what is no longer as it was before."""
        self._until(lambda: not np.array_equal(self._look(path), pixels(before)))
        self.still()
        self.shot(path)

    def as_before(self, path: str, before: str) -> None:
        """A shot of what is as it was before."""
        self._until(lambda: np.array_equal(self._look(path), pixels(before)))

    def glowing(self, path: str, before: str) -> None:
        """A shot with a waveform that was not there before."""
        dark = accent(pixels(before))
        self._until(lambda: accent(self._look(path)) > dark + GLOW)

    def moved(self, key: str, change: float, within: float) -> None:
        """Until the host's parameter has moved this far since `values` was last asked for."""
        before = self.last[key]
        self._until(lambda: abs(self._values()[key] - before - change) <= within)

    def marked(self) -> None:
        """Until a take is marked on the waveform."""
        self._until(lambda: is_colour(self._look(), WARN).sum() > MARKED)

    def file(self, path: str) -> None:
        """Until there is a file."""
        self._until(lambda: Path(path).is_file())

    def _look(self, path: str = "look.png") -> Any:
        self.shot(path)
        return pixels(path)

    def _until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not done() and time.monotonic() < end:
            time.sleep(0.1)

    def keys(self, *keys: str) -> None:
        _xdotool("key", "--delay", "60", *keys)

    def text(self, text: str) -> None:
        _xdotool("type", "--delay", "20", text)

    def click(self, x: int, y: int) -> None:
        _xdotool("mousemove", x, y, "click", 1)

    def drag(self, x: int, y: int, right: int, down: int) -> None:
        _xdotool("mousemove", x, y, "mousedown", 1)
        for step in range(1, 9):
            time.sleep(0.04)  # as a hand is: a place a frame
            _xdotool("mousemove", x + right * step // 8, y + down * step // 8)
        _xdotool("mouseup", 1)

    def set(self, key: str, value: float) -> None:
        self.handle[TABLE[key].name].raw_value = TABLE[key].normal(value)
        self.plugin.process(np.zeros((2, 512), np.float32), 48000, reset=False)

    def play(self, seconds: float) -> None:
        """Music from the start of the plugin's own song clock."""
        self.handle[TABLE["free_run"].name].raw_value = 1.0
        song = music(seconds, 48000)
        for start in range(0, song.shape[1], 2048):
            piece = np.ascontiguousarray(song[:, start : start + 2048])
            self.plugin.process(piece, 48000, buffer_size=512, reset=start == 0)

    def values(self) -> dict[str, float]:
        self.last = self._values()
        return self.last

    def _values(self) -> dict[str, float]:
        return {
            key: row.plain(self.handle[row.name].raw_value) for key, row in TABLE.items() if row.name in self.handle
        }


def _xdotool(*words: object) -> None:
    subprocess.run(["xdotool", *map(str, words)], check=True)


def opening(plugin: Any, steps: list[list[Any]]) -> list[Any]:
    """Shows the window while the steps are done; what they returned."""
    closed, found, hand = threading.Event(), [], Hand(plugin)

    def run() -> None:
        try:
            found.extend(hand.do(*step) for step in steps)
        finally:
            closed.set()

    thread = threading.Thread(target=run)
    thread.start()
    plugin.show_editor(closed)
    thread.join()
    if len(found) != len(steps):
        raise AssertionError(f"step {steps[len(found)]} failed")
    return found


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text())
    plugin = pedalboard.VST3Plugin(job["bundle"])
    found = [opening(plugin, steps) for steps in job["openings"]]
    state = plugin.preset_data.decode("latin-1")
    Path(sys.argv[1]).with_name("found.json").write_text(json.dumps({"found": found, "state": state}))


if __name__ == "__main__":
    main()
