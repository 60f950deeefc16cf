"""A sidecar of the demo's own, for as long as a `with` block lasts."""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sidecar.client import Client
from sidecar.errors import SidecarError

START_LIMIT_S = 90.0  # importing torch and diffusers on a cold disk and two busy cores


@contextmanager
def running_sidecar(run_folder: Path) -> Generator[None]:
    """Start `python -m sidecar`, wait until it answers, and end it afterwards."""
    run_folder.mkdir(parents=True, exist_ok=True)
    run_folder.chmod(0o700)
    log = run_folder / "sidecar.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sidecar"], stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with Client(timeout_s=5.0) as client:
                client.ping()
                return
        except SidecarError:
            time.sleep(0.2)
    raise SystemExit(f"error: the sidecar did not start\nnext: read {log}")
