"""`demon doctor` names what is broken and what to do, and is content when a host would find everything."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from test_command_line import demon

from plugin_bridge import bundles


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def doctor(home: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    result = demon("doctor", "--json", *arguments, home=home, DEMON_RUN_DIR=str(home / "run"))
    return result.returncode, json.loads(result.stdout), result.stderr


def levels(report: dict[str, Any]) -> dict[str, str]:
    return {finding["name"]: finding["level"] for finding in report["findings"]}


def test_nothing_built_is_broken_and_each_finding_says_what_next(home: Path) -> None:
    code, report, said = doctor(home)
    assert (code, report["ok"]) == (1, False)
    found = levels(report)
    for name in ("plugin build", "VST3", "CLAP", "launch file"):
        assert found[name] == "broken"
    for name in ("python", "torch", "diffusers", "device", "checkpoint"):
        assert found[name] == "ok"
    assert found["sidecar"] == "note"
    assert all(finding["fix"] for finding in report["findings"] if finding["level"] == "broken")
    assert said.strip().splitlines()[-1].startswith("next: run demon plugin build")


def test_built_and_installed_is_well(home: Path) -> None:
    folder = home / ".cache" / "demon-bridge" / "bundles"
    bundles.replace_file(bundles.binary(folder), b"shared object", 0o755)
    bundles.replace_file(folder / bundles.CLAP, b"shared object", 0o755)
    later = time.time() + 3600  # than any source, so that the bundles count as built from them
    os.utime(bundles.binary(folder), (later, later))
    assert demon("plugin", "install", home=home).returncode == 0
    code, report, said = doctor(home)
    assert (code, report["ok"]) == (0, True), said
    assert set(levels(report).values()) <= {"ok", "note"}
    (home / ".clap" / bundles.CLAP).write_bytes(b"of another version")
    code, report, _ = doctor(home)
    assert (code, levels(report)["CLAP"], levels(report)["VST3"]) == (1, "broken", "ok")


def test_a_checkpoint_with_a_missing_file_is_named(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    folder.mkdir()
    (folder / "model_index.json").write_text("{}")
    code, report, _ = doctor(home, "--checkpoint", str(folder))
    finding = next(finding for finding in report["findings"] if finding["name"] == "checkpoint")
    assert (code, finding["level"]) == (1, "broken")
    assert "model_index.json" in finding["text"]
    assert finding["fix"]


def test_a_dead_sidecars_run_file_and_a_log_full_of_errors_are_told_not_tripped_over(home: Path) -> None:
    run = home / "run"
    run.mkdir(parents=True)
    (run / "sidecar.json").write_text(
        '{"protocol": 1, "pid": 4194304, "port": 1, "token": "00", "version": "0"}'  # above any pid of Linux
    )
    (run / "plugin.log").write_text("fine\nERROR the link broke\n" * 3)
    _, report, _ = doctor(home)
    assert levels(report)["sidecar"] == "note"
    log = next(finding for finding in report["findings"] if finding["name"] == "plugin.log")
    assert "the link broke" in log["text"]
    (run / "sidecar.json").write_text("not json")
    _, report, _ = doctor(home)
    assert levels(report)["sidecar"] == "broken"
