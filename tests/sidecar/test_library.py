"""Presets of the user's: what is kept of an instance, under which name, and what loading it brings back."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar import library, preset
from sidecar.document import Document
from sidecar.errors import StateError
from sidecar.parameters import TABLE
from sidecar.preset import About

SOURCE = {"hash": f"sha256:{'0' * 64}", "name": "x", "start_frame": 0, "rate": 48_000, "samples": 100, "scale": 1.0}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's presets, somewhere of this test's own."""
    monkeypatch.setenv("DEMON_PRESET_DIR", str(tmp_path / "presets"))
    return tmp_path / "presets"


def document() -> Document:
    parameters = {"denoise": 0.5, "dcw": 1.0, "output_gain": 6.0, "bypass": 1.0}
    prompts = {"a": "techno", "b": "ambient"}
    return Document({"parameters": parameters, "prompts": prompts, "seed": 7, "learned": SOURCE, "checkpoint": "c"})


def test_a_saved_preset_brings_the_sound_back_and_neither_audio_nor_what_is_the_sessions() -> None:
    saved = library.save(document(), About(name="Mine", tags=["dub"]))
    assert (saved.id, saved.about.tags) == ("user/Mine", ["dub"])
    other = Document({"parameters": {"shift": 5.0, "output_gain": -3.0}, "seed": 1, "checkpoint": "other"})
    loaded = other.patch(saved.changes)
    for row in TABLE:
        if row.curve != "status":
            kept = other if row.session else document()
            assert loaded.parameter(row.key) == kept.parameter(row.key), row.key
    assert loaded.fields.prompts == document().fields.prompts
    assert (loaded.fields.seed, loaded.fields.checkpoint, loaded.fields.learned) == (7, "other", None)


def test_a_sound_without_a_source_says_so() -> None:
    none = Document({"parameters": {"source_mode": 2.0}})
    assert library.save(none, About(name="None")).changes["parameters"]["source_mode"] == 2.0
    assert "source_mode" not in library.save(document(), About(name="Some")).changes["parameters"]


def test_loading_one_preset_after_another_is_loading_the_second() -> None:
    first, second = library.find("Cassette"), library.find("Warehouse")
    plain = Document().patch(second.changes)
    assert Document().patch(first.changes).patch(second.changes) == plain


def test_a_name_that_is_taken_is_refused_unless_it_is_to_be_replaced() -> None:
    first = library.save(document(), About(name="Mine"))
    before = first.path.read_bytes()
    for name in ("Mine", "mine", " Mine "):
        with pytest.raises(StateError, match="already"):
            library.save(Document(), About(name=name))
    assert first.path.read_bytes() == before
    library.save(Document({"seed": 9}), About(name="Mine"), replace=True)
    assert library.find("user/Mine").changes["seed"] == 9
    for replace in (False, True):
        with pytest.raises(StateError, match="factory"):
            library.save(document(), About(name="Warehouse"), replace=replace)


def test_two_names_that_would_be_one_file_are_told_apart(folder: Path) -> None:
    library.save(document(), About(name="a/b"))
    with pytest.raises(StateError, match="already"):
        library.save(document(), About(name="a?b"))
    assert [path.name for path in folder.iterdir()] == ["a_b.json"]


@given(st.text(min_size=1, max_size=64))
def test_any_name_becomes_a_file_in_the_folder_or_is_refused(name: str) -> None:
    try:
        stem = library.stem(name)
    except StateError:
        return
    assert stem == Path(f"{stem}.json").stem
    assert Path(stem).name == stem
    assert not stem.startswith(".")
    assert not set(stem) & set('\\*?/:<>|"\0\n')


def test_a_file_that_is_no_preset_is_named_and_the_others_are_listed(folder: Path) -> None:
    library.save(document(), About(name="Good"))
    (folder / "broken.json").write_text("{")
    (folder / "long.json").write_text(json.dumps({"preset": {"name": "x"}, "pad": "x" * preset.MAX_FILE}))
    (folder / "nameless.json").write_text("{}")
    found, problems = library.user()
    assert [it.about.name for it in found] == ["Good"]
    assert [problem.text.split()[0].rstrip(":") for problem in problems] == ["The", "long.json", "nameless.json"]
    assert "broken.json" in problems[0].text


def test_only_presets_of_the_users_are_deleted(folder: Path) -> None:
    library.delete(library.save(document(), About(name="Mine")))
    assert list(folder.iterdir()) == []
    with pytest.raises(StateError, match="factory"):
        library.delete(library.find("Warehouse"))


def test_a_preset_is_found_by_id_by_name_and_by_file_name() -> None:
    saved = library.save(document(), About(name="What: ever"))
    for wanted in ("user/What_ ever", "what: ever", "WHAT_ EVER"):
        assert library.find(wanted) == saved
    with pytest.raises(StateError, match="no preset 'nothing'"):
        library.find("nothing")
