"""The plugin built with the audio thread's hooks, and the library that, preloaded into a host, listens to them."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bridge_rig import Bundles

from plugin_bridge.build import WORKSPACE, build


@dataclass(frozen=True)
class Trap:
    """`library` goes into LD_PRELOAD of a host that loads one of `bundles`."""

    bundles: Bundles
    library: Path
    self_test: Path

    def environment(self, log: Path) -> dict[str, str]:
        """What a host needs to have what its audio thread must not do written to `log`."""
        return {"LD_PRELOAD": str(self.library), "DEMON_TRAP_LOG": str(log)}


def caught(log: Path) -> list[str]:
    """What a host's audio thread did and must not. Raises AssertionError when no real-time block was watched."""
    lines = log.read_text().splitlines()
    assert any(line.startswith("entries ") for line in lines), lines
    return [line for line in lines if line.startswith("caught")]


def build_trap(folder: Path) -> Trap:
    library, self_test = folder / "trap.so", folder / "selftest"
    for source, target, flags in (("trap.c", library, ["-shared", "-fPIC"]), ("selftest.c", self_test, [])):
        command = ["cc", "-O2", *flags, "-o", target, WORKSPACE / "trap" / source, "-ldl", "-lpthread"]
        subprocess.run(command, check=True, timeout=60)
    built = build(folder / "bundles", features=["trap"])
    return Trap(Bundles(built.vst3, built.clap), library, self_test)
