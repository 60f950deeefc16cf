"""Compiled packages on this machine: found, checked, built."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import platformdirs
import torch
from filelock import FileLock, Timeout

from engine.errors import EngineError
from engine.model.hub import Progress

_ROOT: Final = Path(__file__).parents[1]
_SOURCES: Final = ("dit/*.py", "backends/program.py", "backends/build.py")  # what decides the machine code,
_BESIDE: Final = ("dit.py", "recent.py")  # and what among them does not
_LABELS: Final = ("is_turbo", "model_version")  # parts of a configuration that the forward does not read
_USUAL_SECONDS: Final = 90.0  # of a build on an idle core; progress is told in shares of it

Build = Callable[[Mapping[str, Any], Path, int, Progress], None]
"""Compiles a DiT of that configuration for so many threads into a file."""


class Packages:
    """The packages in one folder. Several processes may use it at once."""

    def __init__(self, folder: Path | None = None, build: Build | None = None) -> None:
        """
        Args:
            folder: where they lie; None: `compiled` in this user's cache folder for demon-bridge.
            build: what compiles one; None: AOTInductor.
        """
        self.folder = folder or platformdirs.user_cache_path("demon-bridge", appauthor=False) / "compiled"
        self._build = build or compile_package

    def find(self, config: Mapping[str, Any], threads: int) -> Path | None:
        """The package for a DiT of this configuration, or None if there is none or it is damaged."""
        for path in sorted(self.folder.glob(f"{key(config, threads)}-*.pt2")):
            if _digest(path) == path.stem.rpartition("-")[2]:
                return path
        return None

    def obtain(self, config: Mapping[str, Any], threads: int, report: Progress) -> Path:
        """The package for a DiT of this configuration, built now if it is not there.

        Args:
            config: the transformer's.
            threads: torch threads that it is to run on.
            report: told what happens.

        Raises:
            EngineError: there is no C++ compiler, no room, or the build failed.
        """
        found = self.find(config, threads)
        if found is not None:
            return found
        name = key(config, threads)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with _locked(self.folder / f"{name}.lock", report):
                return self.find(config, threads) or self._built(name, config, threads, report)
        except OSError as error:
            raise EngineError(
                f"The compiled DiT cannot be kept in {self.folder} ({error}).",
                'Make room or rights there, or use backend="eager".',
                code="backend",
            ) from error

    def _built(self, name: str, config: Mapping[str, Any], threads: int, report: Progress) -> Path:
        for damaged in self.folder.glob(f"{name}-*.pt2"):
            report(f"{damaged} is damaged and is built anew", 0.0)
            damaged.unlink()
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="build-") as scratch:
            fresh = Path(scratch) / "fresh.pt2"
            self._build(config, fresh, threads, report)
            # its name holds its digest, so one rename makes it whole or not there at all
            return fresh.rename(self.folder / f"{name}-{_digest(fresh)}.pt2")


def key(config: Mapping[str, Any], threads: int) -> str:
    """32 hex digits for what a package depends on: DiT, machine, torch, threads, and our own sources."""
    parts = hashlib.sha256()
    about = [
        _shape(config),
        torch.__version__,
        torch.backends.cpu.get_cpu_capability(),
        platform.machine(),
        _cpu(),
        threads,
    ]
    parts.update(json.dumps(about, sort_keys=True, default=list).encode())
    for pattern in _SOURCES:
        for source in sorted(_ROOT.glob(pattern)):
            if source.name not in _BESIDE:
                parts.update(source.read_bytes())
    return parts.hexdigest()[:32]


def _shape(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of a configuration the forward depends on, in JSON's types."""
    return {name: value for name, value in config.items() if not name.startswith("_") and name not in _LABELS}


def compile_package(config: Mapping[str, Any], package: Path, threads: int, report: Progress) -> None:
    """Run `engine.backends.build` in a process of its own.

    Raises:
        EngineError: there is no C++ compiler, or the build failed.
    """
    _check_compiler()
    scratch = package.parent
    settings = scratch / "config.json"
    settings.write_text(json.dumps(_shape(config), default=list), encoding="utf-8")
    paths = [str(_ROOT.parent), os.environ.get("PYTHONPATH", "")]
    surroundings = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "TORCHINDUCTOR_CACHE_DIR": str(scratch / "inductor"),
        "TORCHINDUCTOR_COMPILE_THREADS": "1",  # there is one large source file; more threads only wait
    }
    command = [sys.executable, "-m", "engine.backends.build", str(settings), str(package), str(threads)]
    with (scratch / "log").open("w+b") as log:
        with subprocess.Popen(command, env=surroundings, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as process:
            try:
                _watch(process, report)
            except BaseException:
                process.kill()
                raise
        if process.returncode or not package.is_file():
            log.seek(0)
            last = (log.read().decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise EngineError(
                f"Compiling the DiT failed: {last}.",
                'Use backend="eager", and report this message.',
                code="backend",
            )


def _watch(process: subprocess.Popen[bytes], report: Progress) -> None:
    start = time.monotonic()
    while process.poll() is None:
        seconds = time.monotonic() - start
        report(f"Compiling the DiT for this machine, once: {seconds:.0f} s", min(seconds / _USUAL_SECONDS, 0.99))
        try:
            process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            continue


def _check_compiler() -> None:
    wanted = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(wanted) is None:
        raise EngineError(
            f"Compiling the DiT needs a C++ compiler, and there is no {wanted} on PATH.",
            'Install g++ (Debian: apt-get install g++), or use backend="eager".',
            code="backend",
        )


class _locked:  # noqa: N801 - read as a word in a with statement
    """A lock between processes. Whoever waits for it says so."""

    def __init__(self, path: Path, report: Progress) -> None:
        self._lock = FileLock(path)
        self._report = report

    def __enter__(self) -> None:
        while True:
            try:
                self._lock.acquire(timeout=1.0)
            except Timeout:
                self._report("Another process compiles the DiT: waiting for it", 0.0)
            else:
                return

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _cpu() -> str:
    """The processor and what it can do: Inductor compiles for exactly this one."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    told = {line.partition(":")[0].strip(): line.partition(":")[2].strip() for line in reversed(lines)}
    return " ".join(told.get(name, "") for name in ("model name", "flags", "Features"))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
