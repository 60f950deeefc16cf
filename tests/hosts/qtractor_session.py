"""qtractor 0.9 on a JACK server without a sound card: open a session, roll it, save it, export it.

qtractor has no command line beyond the session's name: transport goes through JACK, saving and exporting through keys,
for which it gets a screen of its own. It wants an ALSA sequencer; `qtractor/fake_seq.c` is a silent one.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

SEQUENCER = Path(__file__).resolve().parent / "qtractor" / "fake_seq.c"
PROGRAMS = ["qtractor", "jackd", "jack_transport", "jack_lsp", "Xvfb", "openbox", "xdotool", "cc"]
LIMIT = 60.0  # for anything to appear: a server, a window, a port, a file
PERIOD = 1024  # JACK's dummy driver is paced by a timer; shorter periods run late on a busy machine
EXPORT_KEY, SAVE_KEY, QUIT_KEY = "ctrl+F9", "ctrl+F8", "ctrl+F7"
SETTLING = 0.7  # qtractor takes JACK's stop in its own time, and a locate before it has is lost
ATTEMPTS, ATTEMPT_LIMIT = 4, 10.0  # a window that is not drawn yet loses keys
KEY_DELAY_MS = "60"
TABS_TO_THE_BUSES = 7  # in the export dialog, which wants at least one chosen
FLOAT_FORMAT = 3  # libsndfile formats as qtractor numbers them: 16, 24, 32 bit, float

SETTINGS = f"""[Shortcuts]
qtractorMainForm\\trackExportAudioAction={EXPORT_KEY.title()}
qtractorMainForm\\fileSaveAction={SAVE_KEY.title()}
qtractorMainForm\\fileExitAction={QUIT_KEY.title()}
[Options]
Audio\\ExportExt=wav
Audio\\ExportType=0
Audio\\ExportFormat={FLOAT_FORMAT}
Display\\StdoutCapture=false
[Default]
AutoSessionDir=false
[AutoSave]
Enabled=false
"""


def installed() -> bool:
    """Whether qtractor and what it needs here are all there (scripts/setup --tests)."""
    return all(shutil.which(program) for program in PROGRAMS)


def wait_for(what: str, found: object) -> object:
    """What `found()` returns once it is true. Raises AssertionError when that takes too long."""
    until = time.monotonic() + LIMIT
    while time.monotonic() < until:
        if value := found():
            return value
        time.sleep(0.1)
    raise AssertionError(f"no {what} after {LIMIT:g} s")


@dataclass
class Studio:
    """One home with a JACK server and a screen; sessions are opened in it one after the other."""

    home: Path
    environment: dict[str, str]

    def said(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=LIMIT, check=False)
        return done.stdout

    @contextmanager
    def opened(self, session: Path, trap: Mapping[str, str] | None = None) -> Iterator["Rolling"]:
        """qtractor with the session open, its ports on the server and its window on the screen.

        `trap` is the environment of `trap_build.Trap`.
        """
        log = session.with_suffix(".log")
        preloaded = [str(self.home / "fake_seq.so"), *filter(None, [(trap or {}).get("LD_PRELOAD")])]
        environment = {**self.environment, **(trap or {}), "LD_PRELOAD": ":".join(preloaded)}
        with ExitStack() as stack:
            sink = stack.enter_context(log.open("ab"))
            process = _start(stack, ["qtractor", str(session)], environment, sink)
            try:
                search = ("xdotool", "search", "--onlyvisible", "--name", f"/{session.stem}.qtr")
                window = str(wait_for("window", lambda: self.said(*search).split())[-1])
                wait_for("port", lambda: "Master/out_1" in self.said("jack_lsp"))
                yield Rolling(self, session, window, process)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{log.read_text(errors='replace')[-3000:]}") from error


@dataclass
class Rolling:
    """An open session."""

    studio: Studio
    session: Path
    window: str
    process: subprocess.Popen[bytes]

    def key(self, *keys: str, window: str | None = None) -> None:
        window = window or self.window
        self.studio.said("xdotool", "windowactivate", "--sync", window, "key", "--delay", KEY_DELAY_MS, *keys)

    def transport(self, command: str) -> None:
        subprocess.run(
            ["jack_transport"],
            env=self.studio.environment,
            input=f"{command}\nexit\n",
            text=True,
            capture_output=True,
            timeout=LIMIT,
            check=True,
        )

    def play(self, seconds: float) -> None:
        """From the start, in real time; then back to the start."""
        self.transport("locate 0")
        self.transport("play")
        time.sleep(seconds)
        self.transport("stop")
        time.sleep(SETTLING)
        self.transport("locate 0")

    def save(self) -> None:
        """Returns once the session's file is a new one."""
        before = self.session.stat().st_mtime_ns
        self.key(SAVE_KEY)
        wait_for("saved session", lambda: self.session.stat().st_mtime_ns != before)
        wait_for("whole session", lambda: self.session.read_bytes().rstrip().endswith(b"</session>"))

    def quit(self) -> None:
        """End qtractor as a person does; save first, or it asks."""
        self.key(QUIT_KEY)
        wait_for("end of qtractor", lambda: self.process.poll() is not None)

    def export(self) -> NDArray[np.float32]:
        """The session through the master bus, `[2, samples]`, as its export (freewheeling) writes it."""
        before = set(self.session.parent.glob("*export*.wav"))
        for _ in range(ATTEMPTS):
            if made := self._ask_for_export(before):
                audio, _ = soundfile.read(made.pop(), dtype="float32", always_2d=True)
                return np.ascontiguousarray(audio.T)
        raise AssertionError(f"the export dialog made no file in {ATTEMPTS} attempts")

    def _ask_for_export(self, before: set[Path]) -> set[Path]:
        search = ("xdotool", "search", "--onlyvisible", "--name", "^Export .*Audio")
        until = time.monotonic() + ATTEMPT_LIMIT
        self.key(EXPORT_KEY)
        while not (found := self.studio.said(*search).split()):
            if time.monotonic() > until:
                return set()
            time.sleep(0.1)
        dialog = found[-1]
        self.key(*["Tab"] * TABS_TO_THE_BUSES, "space", "Return", window=dialog)
        until = time.monotonic() + ATTEMPT_LIMIT
        while time.monotonic() < until:
            if not self.studio.said(*search).split() and (
                made := set(self.session.parent.glob("*export*.wav")) - before
            ):
                return made
            time.sleep(0.1)
        self.key("Escape", "Escape", window=dialog)  # one for a list of paths that may have opened
        wait_for("end of the dialog", lambda: not self.studio.said(*search).split())
        return set()


def _start(
    stack: ExitStack, command: list[str], environment: dict[str, str], sink: object, **more: object
) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=sink,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        **more,
    )
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def studio(home: Path, base: dict[str, str], rate: int) -> Iterator[Studio]:
    """A JACK server, a screen and a window manager, with qtractor's settings; all of it ends with the block."""
    settings = home / ".config" / "rncbc.org"
    settings.mkdir(parents=True)
    (settings / "Qtractor.conf").write_text(SETTINGS)
    server = f"demon-{os.getpid()}"
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    environment = {**base, "HOME": str(home), "XDG_RUNTIME_DIR": str(runtime), "JACK_DEFAULT_SERVER": server}
    environment |= {"JACK_NO_START_SERVER": "1", "JACK_NO_AUDIO_RESERVATION": "1", "LC_ALL": "C.UTF-8"}
    command = ["cc", "-shared", "-fPIC", "-o", str(home / "fake_seq.so"), str(SEQUENCER)]
    subprocess.run(command, check=True, timeout=LIMIT)
    with ExitStack() as stack:
        sink = stack.enter_context((home / "studio.log").open("ab"))
        jack = ["jackd", "-r", "-n", server, "-d", "dummy", "-r", str(rate), "-p", str(PERIOD)]
        _start(stack, jack, environment, sink)
        reading, writing = os.pipe()
        stack.callback(os.close, reading)
        screen = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
        _start(stack, screen, environment, sink, pass_fds=[writing])
        os.close(writing)
        environment["DISPLAY"] = f":{os.read(reading, 16).decode().strip()}"
        made = Studio(home, environment)
        _start(stack, ["openbox"], environment, sink)
        # keys reach no window before somebody manages them
        wait_for("window manager", lambda: made.said("xdotool", "get_desktop").strip())
        wait_for("JACK server", lambda: "system:playback_1" in made.said("jack_lsp"))
        yield made
