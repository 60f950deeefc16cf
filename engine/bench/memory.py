"""Peak memory of what a session does, each in a fresh process: `python -m engine.bench.memory`."""

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from engine.checks import whole
from engine.errors import EngineError, RequestError

WORKS: Final = ("import", "open", "stream", "decode")
"""What a process does before its peak is read: import everything, open a session too, and then keep a stream of depth 4
with everything on full, or decode all of a latent."""


@dataclass(frozen=True, kw_only=True)
class PeakMemory:
    """Most memory a process had resident, in MiB, weights included.

    Attributes:
        backend: as in `Session.open`.
        work: one of WORKS.
        frames: T of the stream or the latent; 0 where there is none.
        peak_mib: since the process started.
    """

    backend: str
    work: str
    frames: int
    peak_mib: float


def peak_memory(checkpoint: Path, backend: str, work: str, frames: int, *, threads: int = 1) -> PeakMemory:
    """Do the work in a new process and ask for its peak.

    Args:
        checkpoint: its folder.
        backend: as in `Session.open`.
        work: one of WORKS.
        frames: T of a stream or of a latent to decode.
        threads: torch threads.

    Raises:
        RequestError: work or threads.
        EngineError: the process failed.
    """
    if work not in WORKS:
        raise RequestError("work", work, "is not known", f"Use one of {', '.join(WORKS)}.")
    whole("threads", threads, 1, 256)
    command = [sys.executable, "-m", "engine.bench.memory", str(checkpoint), backend, work, str(frames), str(threads)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        why = (run.stderr.strip().splitlines() or ["no message"])[-1]
        raise EngineError(f"Measuring the memory of {work!r} failed: {why}.", "Read the message and run it again.")
    return PeakMemory(**json.loads(run.stdout))


def _work(checkpoint: Path, backend: str, work: str, frames: int, threads: int) -> None:
    from engine.bench.loads import load
    from engine.session import Session, preload
    from engine.step.noise import normal

    preload()
    if work == "import":
        return
    with Session.open(checkpoint, backend=backend, threads=threads) as session:
        if work == "stream":
            asked = load(session, "everything", frames)
            requests = asked.requests()
            with session.open_stream(frames, depth=4) as stream:
                while not stream.stats().finished:
                    stream.submit(next(requests))
                    stream.tick()
        elif work == "decode":
            session.decode_all(normal(0, 0, frames))


def peak_mib() -> float:
    """Most memory that this process had resident since it started, in MiB."""
    if sys.platform == "win32":
        import psutil

        return float(psutil.Process().memory_info().peak_wset) / 2**20
    status = Path("/proc/self/status")
    if status.is_file():  # unlike getrusage, which carries the parent's peak over
        lines = status.read_text("ascii").splitlines()
        (line,) = [line for line in lines if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes


def _main(arguments: list[str]) -> None:
    checkpoint, backend, work = Path(arguments[0]), arguments[1], arguments[2]
    frames, threads = int(arguments[3]), int(arguments[4])
    _work(checkpoint, backend, work, frames, threads)
    json.dump(asdict(PeakMemory(backend=backend, work=work, frames=frames, peak_mib=peak_mib())), sys.stdout)


if __name__ == "__main__":
    _main(sys.argv[1:])
