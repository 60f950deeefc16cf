"""A program run to its end for its output."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

SHOWN = 4000  # characters of output in a failure: its end says why


def run(command: Sequence[str | Path], environment: dict[str, str], limit: float, folder: Path | None = None) -> str:
    """What the program wrote, both streams. Raises AssertionError with its end if it failed or ran past `limit` s."""
    failed = ""
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
            check=False,
        )
        output = done.stdout
        if done.returncode != 0:
            failed = f"ended with {done.returncode}"
    except subprocess.TimeoutExpired as late:
        output, failed = late.stdout or b"", f"did not end within {limit:g} s"
    text = output.decode(errors="replace")
    assert not failed, f"{command}: {failed}\n{text[-SHOWN:]}"
    return text
