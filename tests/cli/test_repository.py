"""What a stranger meets first: documents that name real commands, one version, nothing of our machines."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import engine
import sidecar

# Split, so that this file does not hold what it forbids.
FORBIDDEN = [
    "/" + "work/",
    "/" + "farm/",
    "/" + "root/",
    "pypi" + ".org",
    "python" + "hosted",
    "index." + "crates",
    "static." + "crates",
    "deb." + "debian",
    "TO" + "DO",
    "FIX" + "ME",
]


def tracked(repository: Path) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=repository, capture_output=True
    )
    if listed.returncode != 0:
        pytest.skip("not a git clone")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [repository / name for name in names if (repository / name).is_file()]


def test_no_file_names_a_machine_a_registry_or_unfinished_work(repository: Path) -> None:
    found: list[str] = []
    for path in tracked(repository):
        if path.name == "Cargo.lock" or path.suffix in {".flac", ".png", ".safetensors", ".bin"}:
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{path.relative_to(repository)}: {word}" for word in FORBIDDEN if word in text]
    assert found == []


def test_every_make_target_in_the_documents_exists(repository: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"(?:^    |`)make ([a-z]+)", (repository / name).read_text(), re.MULTILINE))
        assert named, name
        assert named <= targets, name


def test_every_demon_command_in_the_documents_exists(repository: Path) -> None:
    from sidecar.cli.app import app

    commands = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    commands |= {group.name for group in app.registered_groups}
    for path in [repository / "README.md", *sorted((repository / "docs").glob("*.md"))]:
        named = set(re.findall(r"(?:bin/|`)demon ([a-z]+)", path.read_text()))
        assert named <= commands, path.name


def test_the_readme_counts_parameters_and_presets_as_they_are(repository: Path) -> None:
    from sidecar.library import factory
    from sidecar.parameters import TABLE

    readme, changes = ((repository / name).read_text() for name in ("README.md", "CHANGELOG.md"))
    automatable = sum(row.automatable for row in TABLE)
    assert f"All {len(TABLE)} controls are host parameters, {automatable} of them automatable" in readme
    assert f"with {len(TABLE)} parameters" in changes
    assert f"- {len(list(factory()))} factory presets" in changes


def test_links_of_the_readme_lead_somewhere(repository: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (repository / "README.md").read_text())
    assert len(links) > 5
    assert [link for link in links if not (repository / link).exists()] == []


def test_all_parts_say_one_version(repository: Path) -> None:
    cargo = tomllib.loads((repository / "plugin_bridge" / "Cargo.toml").read_text())
    assert sidecar.__version__ == engine.__version__ == cargo["workspace"]["package"]["version"]


def test_the_lock_file_holds_hashes_and_no_addresses(repository: Path) -> None:
    lines = (repository / "requirements.lock").read_text().splitlines()
    for line in lines:
        assert re.fullmatch(r"[a-z0-9._-]+==[^ ]+ \\(?:)|    --hash=sha256:[0-9a-f]{64}( \\)?", line), line


def test_the_demo_loop_is_what_its_origin_says(repository: Path) -> None:
    import hashlib

    import soundfile

    samples, rate = soundfile.read(repository / "demo" / "loop.flac", dtype="int16", always_2d=True)
    assert (samples.shape, rate) == ((768_000, 2), 48_000)
    digest = hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()
    assert digest in (repository / "demo" / "ORIGIN.md").read_text()
