"""What longer songs cost: headless bounces of several lengths, each in a process of its own.

Such a process runs `python -m sidecar.cli.songs SOURCE MINUTES DEPTH`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from sidecar.cli.output import CommandError

PROMPTS = {"a": "house, kick, hats, saw bass", "b": "ambient, pad chords"}


@dataclass(frozen=True, kw_only=True)
class SongFigures:
    """A bounce of the default document, but for its depth, over a song at 48 kHz.

    Attributes:
        minutes: length of the song.
        depth: generations in flight.
        region_frames: T of its regions.
        ticks_per_s: engine ticks for a second of song.
        real_time: seconds of song for a second of work, the model already loaded.
        processor_s: seconds of processor time for a second of song, which says more where the machine is busy.
        opened_mib: memory resident when the model was loaded.
        peak_mib: the most that was resident; the song itself, as source and result, is most of what it grows by.
    """

    minutes: float
    depth: int
    region_frames: int
    ticks_per_s: float
    real_time: float
    processor_s: float
    opened_mib: float
    peak_mib: float


def measure(source: Path, minutes: float, depth: int, told: Callable[[float], None]) -> SongFigures:
    """Bounce a song of that length in a new process.

    Args:
        source: what it repeats, at 48 kHz.
        minutes: above 0.
        depth: generations in flight, 1 .. 8.
        told: the share 0 .. 1 that is done.

    Raises:
        CommandError: the process failed.
    """
    command = [sys.executable, "-m", "sidecar.cli.songs", str(source), str(minutes), str(depth)]
    said = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stderr is not None  # noqa: S101, PT018 - they are pipes
        for said in child.stdout:
            if said.startswith("share "):
                told(float(said.split()[1]))
        errors = child.stderr.read()
    if child.returncode != 0:
        why = (errors.strip().splitlines() or ["no message"])[-1]
        raise CommandError(f"the bounce of {minutes:g} minutes failed: {why}", "read the message and run it again")
    return SongFigures(**json.loads(said))


def table(where: str, found: list[SongFigures]) -> str:
    """The figures as a person reads them."""
    names = (
        "song",
        "depth",
        "region",
        "ticks for a second",
        "against real time",
        "processor for a second",
        "memory, open / most",
    )
    head = f"| {' | '.join(names)} |"
    rows = [
        f"| {_length(one.minutes)} | {one.depth} | {one.region_frames / 25:g} s | {one.ticks_per_s:.2f}"
        f" | {one.real_time:.2f} x | {one.processor_s:.2f} s | {one.opened_mib:.0f} / {one.peak_mib:.0f} MiB |"
        for one in found
    ]
    return "\n".join([where, "", head, "|---|---|---|---|---|---|---|", *rows])


def _length(minutes: float) -> str:
    return f"{minutes:g} min" if minutes >= 1.0 else f"{60 * minutes:.0f} s"


def _song(source: Path, minutes: float, depth: int) -> SongFigures:
    from engine import Session
    from engine.bench.memory import peak_mib
    from sidecar.bounce import bounce
    from sidecar.cli.audio import read_stereo
    from sidecar.course import course_of
    from sidecar.document import Document
    from sidecar.frames import ENGINE_RATE, FRAME_RATE
    from sidecar.region import region_of
    from sidecar.tempo import UNKNOWN

    loop, rate = read_stereo(source)
    samples = round(minutes * 60 * rate)
    document = Document({"prompts": PROMPTS, "clock": {"depth": depth}})
    frames = course_of(region_of(0, samples, rate), UNKNOWN, rate).frames
    with Session.open() as session:
        opened = peak_mib()
        song = np.tile(loop, -(-samples // loop.shape[1]))[:, :samples]
        began, busy = time.perf_counter(), time.process_time()
        bounce(
            session,
            np.ascontiguousarray(song),
            ENGINE_RATE,
            document,
            report=lambda share: print("share", share, flush=True),
        )
        took, worked = time.perf_counter() - began, time.process_time() - busy
    return SongFigures(
        minutes=minutes,
        depth=depth,
        region_frames=frames,
        ticks_per_s=FRAME_RATE / document.fields.clock.tick(frames),
        real_time=minutes * 60 / took,
        processor_s=worked / (minutes * 60),
        opened_mib=opened,
        peak_mib=peak_mib(),
    )


if __name__ == "__main__":
    print(json.dumps(asdict(_song(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))))
