"""Our own conformance suite, in the manner of clap-validator and pluginval: one process a check, the trap on in each.

The checks are the functions of `check_*.py`; `checks.py` runs one. No sidecar is there, nor a way to start one, so that
what is looked at is the plugin alone.
"""

import os
import sys
from pathlib import Path

import program
import pytest
from bridge_rig import HERE as HOSTS
from bridge_rig import Bundles
from checks import names
from parameter_table import ROOT
from trap_build import Trap, caught

HERE = Path(__file__).resolve().parent
CLAP = ["check_clap_parameters", "check_clap_audio", "check_clap_state"]
LIMIT = 200.0


def run(module: str, check: str, plugin: Path, world: Path, trap: Trap) -> None:
    report = world / "trap.log"
    environment = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ} | {
        "HOME": str(world),
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, HERE, HOSTS))),
        "DEMON_RUN_DIR": str(world / "run"),
        "DEMON_LAUNCH_FILE": str(world / "no-launch.json"),
        **trap.environment(report),
    }
    text = program.run([sys.executable, HERE / "checks.py", module, check, plugin], environment, LIMIT, world)
    assert "panicked" not in text, text[-4000:]
    caught = [line for line in report.read_text().splitlines() if line.startswith("caught")] if report.exists() else []
    assert not caught, caught


@pytest.mark.clap
@pytest.mark.parametrize(("module", "check"), [(module, name) for module in CLAP for name in names(module)])
def test_clap(module: str, check: str, trap: Trap, tmp_path: Path) -> None:
    run(module, check, trap.bundles.clap, tmp_path, trap)


@pytest.mark.minihost
@pytest.mark.parametrize("check", names("check_vst3"))
def test_vst3(check: str, trap: Trap, tmp_path: Path) -> None:
    run("check_vst3", check, trap.bundles.vst3, tmp_path, trap)


@pytest.mark.clap
def test_the_trap_watches_these_checks(trap: Trap, tmp_path: Path) -> None:
    run("check_clap_audio", "in_place_and_apart_are_the_same", trap.bundles.clap, tmp_path, trap)
    assert caught(tmp_path / "trap.log") == []


@pytest.mark.clap
def test_the_suite_finds_a_plugin_that_is_wrong(trap: Trap, bundles: Bundles, tmp_path: Path) -> None:
    """A file that is no plugin, and a plugin that has no state, fail."""
    broken = tmp_path / "broken.clap"
    broken.write_bytes(bundles.clap.read_bytes()[:4096])
    with pytest.raises(AssertionError, match="ended with"):
        run("check_clap_state", "save_load_save_is_the_same", broken, tmp_path, trap)
    with pytest.raises(AssertionError, match="ended with"):
        run("check_clap_state", "save_load_save_is_the_same", Path("/usr/lib/clap/ZamEQ2.clap"), tmp_path, trap)
