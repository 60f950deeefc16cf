"""qtractor 0.9 on a JACK server without a sound card: write a session with a CLAP insert, roll it, save it, export it.

qtractor has no command line beyond the session's name: transport goes through JACK, saving and exporting through keys,
for which it gets a screen of its own. It wants an ALSA sequencer; `qtractor/fake_seq.c` is a silent one.
"""

import base64
import os
import shutil
import signal
import struct
import subprocess
import time
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

SEQUENCER = Path(__file__).resolve().parent / "qtractor" / "fake_seq.c"
PROGRAMS = ["qtractor", "jackd", "jack_transport", "jack_lsp", "Xvfb", "openbox", "xdotool", "cc"]
LIMIT = 60.0  # for anything to appear: a server, a window, a port, a file
TICKS_PER_BEAT, TEMPO = 960, 120
PERIOD = 1024  # JACK's dummy driver is paced by a timer; shorter periods run late on a busy machine
EXPORT_KEY, SAVE_KEY = "ctrl+F9", "ctrl+F8"
SETTLING = 0.7  # qtractor takes JACK's stop in its own time, and a locate before it has is lost
ATTEMPTS, ATTEMPT_LIMIT = 4, 10.0  # a window that is not drawn yet loses keys
KEY_DELAY_MS = "60"
TABS_TO_THE_BUSES = 7  # in the export dialog, which wants at least one chosen
FLOAT_FORMAT = 3  # libsndfile formats as qtractor numbers them: 16, 24, 32 bit, float

SETTINGS = f"""[Shortcuts]
qtractorMainForm\\trackExportAudioAction={EXPORT_KEY.title()}
qtractorMainForm\\fileSaveAction={SAVE_KEY.title()}
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


def qtractor_state(data: bytes) -> str:
    """A CLAP state as qtractor keeps it: Qt's compression (length, then zlib), base64."""
    return base64.b64encode(struct.pack(">I", len(data)) + zlib.compress(data)).decode()


def state_of(session: Path) -> bytes:
    """The plugin's state in a saved session. Raises AssertionError when there is none."""
    found = ET.parse(session).getroot().find(".//plugin/configs/config[@key='state']")
    text = "" if found is None else found.text or ""
    assert text, f"{session} holds no plugin state"
    return zlib.decompress(base64.b64decode("".join(text.split()))[4:])


def curve(points: list[tuple[int, float]], rate: int) -> bytes:
    """A MIDI file whose controller 1 is the lane: (sample, share of the range in 1/127) pairs in ascending order."""
    ticks = [round(at * TICKS_PER_BEAT * TEMPO / 60 / rate) for at, _ in points]
    track = b""
    for before, tick, (_, share) in zip([0, *ticks], ticks, points, strict=False):
        track += _variable(tick - before) + bytes([0xB0, 1, round(share * 127)])
    track += b"\x00\xff\x2f\x00"
    head = b"MThd" + struct.pack(">IHHH", 6, 1, 1, TICKS_PER_BEAT)
    return head + b"MTrk" + struct.pack(">I", len(track)) + track


def _variable(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


@dataclass(frozen=True)
class Insert:
    """A CLAP plugin on the track: `state` as it saves it, and a lane over the range of the `lane_index`th parameter."""

    path: Path
    state: bytes | None = None
    lane_index: int = 0
    lane: list[tuple[int, float]] = field(default_factory=list)


def write_session(folder: Path, name: str, song: NDArray[np.float32], rate: int, insert: Insert | None) -> Path:
    """`name`.qtr in `folder`: one audio track with the song and the insert, which is what the master bus plays."""
    folder.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / f"{name}.wav", song.T, rate, subtype="FLOAT")
    root = ET.Element("session", name=name, version="0.9.31")
    rows = {"directory": folder, "sample-rate": rate, "tempo": TEMPO, "ticks-per-beat": TICKS_PER_BEAT}
    _texts(ET.SubElement(root, "properties"), rows | {"beats-per-bar": 4, "beat-divisor": 2})
    engine = ET.SubElement(ET.SubElement(root, "devices"), "audio-engine")
    _texts(ET.SubElement(engine, "audio-control"), {"transport-mode": "duplex", "timebase": "no"})
    bus = ET.SubElement(engine, "audio-bus", name="Master", mode="duplex")
    _texts(bus, {"monitor": "no", "channels": 2, "auto-connect": "no"})
    track = ET.SubElement(ET.SubElement(root, "tracks"), "track", name="Music", type="audio")
    _texts(ET.SubElement(track, "properties"), {"input-bus": "Master", "output-bus": "Master"})
    _texts(ET.SubElement(track, "state"), {"monitor": "yes", "gain": 1, "panning": 0})
    clip = ET.SubElement(ET.SubElement(track, "clips"), "clip", name=name)
    place = _texts(ET.SubElement(clip, "properties"), {"start": 0, "offset": 0, "length": song.shape[1], "gain": 1})
    for fade in ("fade-in", "fade-out"):
        ET.SubElement(place, fade, type="Linear").text = "0"
    _texts(ET.SubElement(clip, "audio-clip"), {"filename": f"{name}.wav", "time-stretch": 1, "pitch-shift": 1})
    plugins = ET.SubElement(track, "plugins")
    if insert is not None:
        _plugin(plugins, insert, folder, name, rate)
    path = folder / f"{name}.qtr"
    path.write_bytes(b"<!DOCTYPE qtractorSession>\n" + ET.tostring(root))
    return path


def _plugin(plugins: ET.Element, insert: Insert, folder: Path, name: str, rate: int) -> None:
    plugin = ET.SubElement(plugins, "plugin", type="CLAP")
    _texts(plugin, {"filename": insert.path, "index": 0, "activated": "yes"})
    if insert.state is not None:
        config = ET.SubElement(ET.SubElement(plugin, "configs"), "config", key="state")
        config.text = qtractor_state(insert.state)
    if insert.lane:
        (folder / f"{name}-lane.mid").write_bytes(curve(insert.lane, rate))
        file = _texts(ET.SubElement(plugin, "curve-file"), {"filename": f"{name}-lane.mid"})
        items = ET.SubElement(file, "curve-items")
        item = ET.SubElement(items, "curve-item", name="lane", index=str(insert.lane_index), mode="Hold")
        _texts(item, {"type": "CONTROLLER", "channel": 0, "param": 1, "process": "yes", "capture": "no"})


def _texts(parent: ET.Element, rows: dict[str, object]) -> ET.Element:
    for key, value in rows.items():
        ET.SubElement(parent, key).text = str(value)
    return parent


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
    def opened(self, session: Path) -> Iterator["Rolling"]:
        """qtractor with the session open, its ports on the server and its window on the screen."""
        log = session.with_suffix(".log")
        environment = {**self.environment, "LD_PRELOAD": str(self.home / "fake_seq.so")}
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
        wait_for("JACK server", lambda: "system:playback_1" in made.said("jack_lsp"))
        yield made
