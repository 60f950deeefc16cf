"""One description of this machine, for every report that holds figures."""

import importlib.metadata
import platform
from pathlib import Path
from typing import Final

import psutil

from engine import __version__

PACKAGES: Final = ("torch", "diffusers", "transformers", "numpy")


def describe() -> dict[str, object]:
    """CPU model, cores, memory, system and the versions that figures depend on."""
    return {
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(logical=True),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        "python": platform.python_version(),
        "demon": __version__,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def line() -> str:
    """The same in one line of text."""
    found = describe()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES[:2])
    return f"{found['cpu']}, {found['cores']} cores, Python {found['python']}, {versions}, demon {__version__}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
