"""A project changes as a whole or not at all."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import RATE, music
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Session
from sidecar.content import ContentStore
from sidecar.errors import SidecarError
from sidecar.golden import HASH
from sidecar.preparer import Preparer
from sidecar.project import Project
from sidecar.source import canonical

BELLS = canonical(music(0.2), 0, RATE, "bells")
ENTRY = msgspec.to_builtins(BELLS.entry)

GOOD: list[dict[str, Any]] = [
    {"prompts": {"a": "pads"}},
    {"seed": 5},
    {"parameters": {"denoise": 0.25, "shift": 2.0}},
    {"loras": [{"name": "gone"}]},
    {"takes": [{**ENTRY, "slot": "A"}], "timbre": None},
    {"version": 1, "loras": [{"name": "x", "strength": 9}]},
]
BAD: list[dict[str, Any]] = [
    {"prompts": {"b": 3}},
    {"parameters": {"mix": 9}},
    {"parameters": {"mix": "loud"}},
    {"parameters": 3},
    {"version": 3},
    {"format": "other"},
    {"seed": -1},
    {"timbre": {**ENTRY, "hash": "sha256:1"}},
    {"structure": {**ENTRY, "scale": 0.3}},
    {"takes": [{**ENTRY, "slot": "A"}] * 2},
    {"takes": [ENTRY]},
    {"snapshots": [1]},
    {"song": {"metre": "4/4"}},
    {"look_ahead": 1e9},
    {"clock": {"tick_frames": "fast"}},
    {"version": 2, "loras": [{"name": "x", "strength": 1}]},
]


@pytest.fixture(scope="module")
def project(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(Preparer(session), ContentStore(tmp_path_factory.mktemp("content")))
    start = {"prompts": {"a": "techno"}, "timbre": ENTRY, "parameters": {"denoise": 0.5}, "later": [1]}
    made.accept(made.propose(json.dumps(start).encode(), {BELLS.hash: BELLS.flac()}), from_plugin=True)
    return made


def state(project: Project) -> tuple[object, ...]:
    document, audio = project.to_save()
    return document, dict(project.values), audio, tuple(item.name for item in project.missing)


@settings(max_examples=60, deadline=None)
@given(good=st.lists(st.sampled_from(GOOD), max_size=3), bad=st.sampled_from(BAD), mess=st.binary(max_size=64))
def test_a_bad_document_leaves_everything_as_it_was(
    project: Project, good: list[dict[str, Any]], bad: dict[str, Any], mess: bytes
) -> None:
    before = state(project)
    changes: dict[str, Any] = {}
    for part in (*good, bad):
        changes |= part
    with pytest.raises(SidecarError) as caught:
        project.propose(json.dumps(changes).encode(), {HASH: mess})
    assert caught.value.fix.endswith(".")
    assert state(project) == before


@settings(max_examples=40, deadline=None)
@given(good=st.lists(st.sampled_from(GOOD), max_size=3), mess=st.binary(max_size=64), cut=st.integers(0, 10**6))
def test_bad_audio_leaves_everything_as_it_was(
    project: Project, good: list[dict[str, Any]], mess: bytes, cut: int
) -> None:
    other = canonical(music(0.2) * 0.7, 0, RATE, "other")
    before = state(project)
    changes: dict[str, Any] = {}
    for part in (*good, {"structure": msgspec.to_builtins(other.entry)}):
        changes |= part
    flac = other.flac()
    with pytest.raises(SidecarError):
        project.propose(json.dumps(changes).encode(), {other.hash: flac[: cut % len(flac)] + mess})
    assert state(project) == before


def test_a_proposal_changes_nothing_until_it_is_accepted(project: Project) -> None:
    before = state(project)
    project.propose(b'{"seed":99,"timbre":null,"parameters":{"denoise":0.75}}', {})
    assert state(project) == before


def test_audio_beyond_what_a_project_embeds_goes_to_the_content_store(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.sources.MAX_EMBEDDED", len(BELLS.flac()) - 1)
    store = ContentStore(tmp_path / "content")
    made = Project(Preparer(session), store)
    made.accept(made.propose(json.dumps({"timbre": ENTRY}).encode(), {BELLS.hash: BELLS.flac()}), from_plugin=True)
    document, audio = made.to_save()
    assert audio == {}
    assert store.size() == (1, len(BELLS.flac()))
    other = Project(Preparer(session), store)
    other.accept(other.propose(document, {}), from_plugin=True)
    assert other.missing == []


def test_only_what_somebody_else_set_is_told_to_the_plugin_and_once(session: Session, tmp_path: Path) -> None:
    made = Project(Preparer(session), ContentStore(tmp_path / "content"))

    def change(*keys: str, from_plugin: bool = False) -> None:
        changes = json.dumps({"parameters": dict.fromkeys(keys, 0.5)}).encode()
        made.accept(made.propose(changes, {}), from_plugin=from_plugin)

    change("denoise", "mix", "regenerate", "a_parameter_of_another_version")
    made.move("mix", 0.75)
    change("regenerate", from_plugin=True)
    assert made.tell() == ["denoise"]
    assert made.tell() == []
    assert made.values["mix"] == 0.75
