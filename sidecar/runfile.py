"""The run folder: where the one sidecar of a user says how to reach it (PROTOCOL section 1)."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import tempfile
from pathlib import Path
from typing import Final, Self

import msgspec
import platformdirs
from msgspec import Struct

from sidecar.errors import BusyError, SidecarError

RUN_FILE: Final = "sidecar.json"
LOCK_FILE: Final = "sidecar.lock"
LOG_FILE: Final = "sidecar.log"


class RunFile(Struct, frozen=True):
    """How to reach the sidecar: loopback port and token."""

    protocol: int
    pid: int
    port: int
    token: str
    version: str


def run_directory() -> Path:
    """$DEMON_RUN_DIR, else $XDG_RUNTIME_DIR/demon-bridge, else <user cache>/demon-bridge/run."""
    chosen, runtime = os.environ.get("DEMON_RUN_DIR"), os.environ.get("XDG_RUNTIME_DIR")
    if chosen:
        return Path(chosen)
    return Path(runtime) / "demon-bridge" if runtime else platformdirs.user_cache_path("demon-bridge") / "run"


def make_run_directory(folder: Path) -> None:
    """Make the run folder, for this user only.

    Raises:
        SidecarError: it cannot be made, or belongs to somebody else.
    """
    fix = "Set DEMON_RUN_DIR to a folder of your own."
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise SidecarError(f"{folder} belongs to another user.", fix)
        folder.chmod(0o700)
    except OSError as error:
        raise SidecarError(f"{folder} cannot be used: {error.strerror}.", fix) from error


def new_token() -> str:
    """128 random bits: any local user can connect to loopback, only the owner can read the run file."""
    return secrets.token_hex(16)


def write_run_file(folder: Path, run: RunFile) -> None:
    """Write the run file, readable by its owner only; it appears whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=RUN_FILE, delete=False) as file:  # made with mode 0600
        file.write(msgspec.json.encode(run))
    Path(file.name).replace(folder / RUN_FILE)


def read_run_file(folder: Path | None = None) -> RunFile | None:
    """How to reach the sidecar that lives; None if there is none.

    Raises:
        SidecarError: the file is not a run file.
    """
    path = (folder or run_directory()) / RUN_FILE
    try:
        run = msgspec.json.decode(path.read_bytes(), type=RunFile)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise SidecarError(
            f"{path} is not a run file: {error}.", "Delete it; the next sidecar writes it anew."
        ) from error
    return run if _alive(run.pid) else None


def remove_run_file(folder: Path, pid: int) -> None:
    """Remove the run file if it still names this process."""
    path = folder / RUN_FILE
    try:
        if msgspec.json.decode(path.read_bytes(), type=RunFile).pid == pid:
            path.unlink()
    except (OSError, msgspec.DecodeError):
        return


class Lock:
    """The lock that the one sidecar of a run folder holds. A forked child shares it; it ends with the last holder.

    Raises:
        BusyError: another sidecar holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._descriptor)
            raise BusyError(f"A sidecar already runs in {folder}.", "Use that one, or end it first.") from error

    def release(self) -> None:
        """Let go of it in this process."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
