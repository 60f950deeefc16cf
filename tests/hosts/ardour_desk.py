"""Ardour's own windows on a screen that nobody sees, and a hand before them."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ardour_session import Ardour
from PIL import Image
from screen import screen

LIMIT = 90.0
COLOURS = 96  # of a picture's palette: both programs are drawn in few
FIRST_START = ".a7"  # the file by which Ardour 7 knows that its first questions were answered

# Ardour hides the audio system that needs no sound card, and asks which to use, unless its settings say otherwise.
SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour>
  <Config>
    <Option name="hide-dummy-backend" value="0"/>
    <Option name="try-autostart-engine" value="1"/>
    <Option name="discover-plugins-on-start" value="0"/>
  </Config>
  <Extra><AudioMIDISetup><EngineStates>
    <State backend="None (Dummy)" driver="Normal Speed" device="Silence" input-device="" output-device=""
           sample-rate="48000" buffer-size="1024" n-periods="0" input-latency="0" output-latency="0"
           input-channels="0" output-channels="0" active="1" use-buffered-io="0" midi-option="" lru="1">
      <MIDIDevices/>
    </State>
  </EngineStates></AudioMIDISetup></Extra>
</Ardour>
"""


def until(what: str, there: Callable[[], bool]) -> None:
    """Waits. Raises AssertionError when it is not there in time."""
    end = time.monotonic() + LIMIT
    while not there():
        assert time.monotonic() < end, f"there is not {what} within {LIMIT:g} s"
        time.sleep(0.2)


@dataclass
class Desk:
    """The screen with Ardour on it."""

    environment: dict[str, str]
    folder: Path

    def xdotool(self, *words: object) -> str:
        command = ["xdotool", *map(str, words)]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout.strip()

    def window(self, name: str) -> str:
        """The number of the visible window with a name like this regular expression, once it is there."""
        search = ("search", "--onlyvisible", "--name", name)
        until(f"a window {name}", lambda: bool(self.xdotool(*search)))
        return self.xdotool(*search).splitlines()[0]

    def put(self, window: str, x: int, y: int) -> None:
        self.xdotool("windowmove", "--sync", window, x, y)
        time.sleep(1.0)

    def point(self, window: str, x: int, y: int) -> None:
        self.xdotool("mousemove", "--window", window, x, y)
        time.sleep(0.3)

    def click(self, window: str, x: int, y: int, button: int = 1, times: int = 1) -> None:
        self.point(window, x, y)
        self.xdotool("click", "--repeat", times, "--delay", 80, button)
        time.sleep(0.7)

    def write(self, text: str) -> None:
        """Replaces what the field that has the keyboard holds."""
        self.xdotool("key", "ctrl+a")
        self.xdotool("type", "--delay", 30, text)
        self.xdotool("key", "Return")
        time.sleep(1.0)

    def picture(self, window: str, to: Path, box: tuple[int, int, int, int] | None = None) -> None:
        """What a window shows (`root`: the screen), or a box of it: left, top, right, bottom in pixels."""
        shot = self.folder / "shot.png"
        subprocess.run(["import", "-window", window, str(shot)], env=self.environment, check=True)
        image = Image.open(shot).convert("RGB").crop(box)
        image.quantize(COLOURS, dither=Image.Dither.NONE).save(to, optimize=True)


@contextmanager
def open_session(daw: Ardour, session: Path) -> Iterator[Desk]:
    """A desk with the session open in Ardour, which ends with it, unsaved."""
    settings = daw.home / ".config" / "ardour7"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / FIRST_START).touch()
    (settings / "config").write_text(SETTINGS)
    folder = daw.home.parent
    with screen(folder, "1600x1100x24") as display, (folder / "ardour.log").open("wb") as log:
        environment = {**daw.world, **display}
        command = ["ardour", "--no-announcements", "--no-splash", str(session / f"{session.name}.ardour")]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield Desk(environment, folder)
        finally:
            process.terminate()
            process.wait()
