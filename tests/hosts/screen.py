"""A screen of its own, with a window manager and the settings owner without which JUCE's editor windows die."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ["Xvfb", "openbox", "xsettingsd", "xdotool", "import"]
LIMIT = 20.0


def missing() -> list[str]:
    """The programs that are not installed here (scripts/setup --tests)."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


@contextmanager
def screen(folder: Path, size: str = "2400x1600x24") -> Iterator[dict[str, str]]:
    """The environment of a program on a new screen."""
    settings = folder / "xsettings.conf"
    settings.write_text('Net/ThemeName "Default"\n')
    with ExitStack() as stack:
        reading, writing = os.pipe()
        stack.callback(os.close, reading)
        server = ["Xvfb", "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"]
        _start(stack, server, dict(os.environ), folder, pass_fds=(writing,))
        os.close(writing)
        environment = {"DISPLAY": f":{os.read(reading, 16).decode().strip()}"}
        whole = {**os.environ, **environment, "HOME": str(folder)}
        log = folder / "xsettingsd.log"
        _until("a screen", lambda: _answers(whole, "getdisplaygeometry"))
        _start(stack, ["openbox"], whole, folder)
        _start(stack, ["xsettingsd", "-c", str(settings)], whole, folder)
        _until("a window manager", lambda: _answers(whole, "get_desktop"))
        _until("an owner of the settings", lambda: b"Took ownership" in log.read_bytes())
        yield environment


def _start(stack: ExitStack, command: list[str], environment: dict[str, str], folder: Path, **more: object) -> None:
    sink = stack.enter_context((folder / f"{command[0]}.log").open("wb"))
    process = subprocess.Popen(command, env=environment, stdout=sink, stderr=sink, stdin=subprocess.DEVNULL, **more)
    stack.callback(process.wait)
    stack.callback(process.terminate)


def _answers(environment: dict[str, str], question: str) -> bool:
    return subprocess.run(["xdotool", question], env=environment, capture_output=True).returncode == 0


def _until(what: str, there: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not there():
        if time.monotonic() > end:
            raise AssertionError(f"there is not {what} within {LIMIT:g} s")
        time.sleep(0.1)
