"""What the checks share: a started plugin, its writable parameters, sounds. As a script, the host of one check.

`python checks.py MODULE CHECK PLUGIN`: one check in a process of its own, so that a crash is that check's failure.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plugin_bridge.clap_host import ClapHost, Parameter

RATE, BLOCK = 48_000, 512
LOADS, WARM = 100, 10
IS_STEPPED, IS_READONLY, IS_AUTOMATABLE = 1 << 0, 1 << 3, 1 << 10  # CLAP_PARAM_IS_*


@contextmanager
def opened(path: Path, rate: float = RATE, block: int = BLOCK) -> Iterator[ClapHost]:
    """The plugin, active and processing."""
    with ClapHost(path) as host:
        host.activate(rate, block)
        yield host


def writable(host: ClapHost) -> list[Parameter]:
    return [row for row in host.parameters if not row.flags & IS_READONLY]


def noise(frames: int, seed: int = 1) -> NDArray[np.float32]:
    """`[2, frames]`."""
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (2, frames)).astype(np.float32)


def leaves_nothing_behind(load: Callable[[], None]) -> None:
    """Load a hundred times: once caches are warm, neither open files nor threads grow by more than one."""
    held: list[list[int]] = []
    for _ in range(LOADS):
        load()
        held.append([len(list(Path(f"/proc/self/{kind}").iterdir())) for kind in ("fd", "task")])
    files, tasks = np.array(held[WARM:]).T
    assert files.max() <= files[0] + 1
    assert tasks.max() <= tasks[0] + 1


def names(module: str) -> list[str]:
    """The checks of a module of this folder."""
    found = vars(importlib.import_module(module))
    own = [name for name, value in found.items() if getattr(value, "__module__", "") == module and callable(value)]
    return [name for name in own if not name.startswith("_") and name.islower()]


if __name__ == "__main__":
    module, check, plugin = sys.argv[1:]
    getattr(importlib.import_module(module), check)(Path(plugin))
