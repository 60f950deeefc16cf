"""A checkpoint that is missing, damaged or of another kind is named with its file and a command."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import engine
from engine.model.checkpoint import inspect

WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def copy(session: engine.Session, tmp_path: Path) -> Path:
    folder = tmp_path / "my-checkpoint"
    shutil.copytree(session.checkpoint.folder, folder)
    return folder


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _drop_tensor(folder: Path) -> None:
    tensors = load_file(folder / "transformer" / WEIGHTS)
    del tensors["norm_out.weight"]
    save_file(tensors, folder / "transformer" / WEIGHTS)


def _truncate(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 100)


def _escape(folder: Path) -> None:
    (folder / "vae" / WEIGHTS).rename(folder / "elsewhere.safetensors")
    index = {"weight_map": {"a": "../elsewhere.safetensors"}}
    (folder / "vae" / f"{WEIGHTS}.index.json").write_text(json.dumps(index))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no model_index": (lambda f: (f / "model_index.json").unlink(), "model_index.json"),
    "index is not JSON": (lambda f: (f / "model_index.json").write_text("{"), "model_index.json"),
    "index nests too deep": (lambda f: (f / "model_index.json").write_text("[" * 100_000), "model_index.json"),
    "index is a list": (lambda f: (f / "model_index.json").write_text("[]"), "model_index.json"),
    "wrong class": (
        lambda f: _edit(f / "model_index.json", transformer=["diffusers", "FluxTransformer2DModel"]),
        "Flux",
    ),
    "component gone": (lambda f: shutil.rmtree(f / "audio_tokenizer"), "audio_tokenizer"),
    "config of another class": (
        lambda f: _edit(f / "vae" / "config.json", _class_name="AutoencoderKL"),
        "AutoencoderKL",
    ),
    "weights gone": (lambda f: (f / "vae" / WEIGHTS).unlink(), WEIGHTS),
    "weights cut short": (lambda f: _truncate(f / "transformer" / WEIGHTS), WEIGHTS),
    "weights are text": (lambda f: (f / "vae" / WEIGHTS).write_text("hello"), WEIGHTS),
    "text encoder cut short": (lambda f: _truncate(f / "text_encoder" / "model.safetensors"), "model.safetensors"),
    "no tokenizer": (lambda f: (f / "tokenizer" / "tokenizer.json").unlink(), "tokenizer.json"),
    "another sample rate": (lambda f: _edit(f / "vae" / "config.json", sampling_rate=44_100), "sampling_rate"),
    "another hop": (lambda f: _edit(f / "vae" / "config.json", downsampling_ratios=[2, 4, 4, 8, 8]), "downsampling"),
    "shards outside the folder": (_escape, "index.json"),
    "a tensor is missing": (_drop_tensor, "norm_out.weight"),
    "another width": (lambda f: _edit(f / "transformer" / "config.json", hidden_size=256), "transformer"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_with_its_file_and_a_command(copy: Path, damage: str):
    break_it, named = DAMAGE[damage]
    break_it(copy)
    with pytest.raises(engine.CheckpointError) as caught:
        engine.Session.open(copy)
    assert named in caught.value.text
    assert "demon checkpoint check" in caught.value.fix
    assert caught.value.code == "missing_checkpoint"
    assert "\n" not in str(caught.value)


def test_the_command_that_mends_it_fits_where_the_checkpoint_came_from(copy: Path):
    (copy / "vae" / WEIGHTS).unlink()
    for name, command in (("someone/tiny@v2", "demon checkpoint fetch someone/tiny@v2"), ("demon-tiny-1", "Reinstall")):
        with pytest.raises(engine.CheckpointError) as caught:
            inspect(copy, name)
        assert command in caught.value.fix


@pytest.mark.parametrize("name", ["demon-tiny-9", "/no/such/folder", "", "a/b/c", "owner/na me"])
def test_a_name_that_is_nothing_is_refused(name: str):
    with pytest.raises(engine.CheckpointError, match="demon-tiny-1"):
        engine.Session.open(name)


def test_a_missing_folder_given_as_a_path_is_not_looked_up_on_the_hub(tmp_path: Path):
    with pytest.raises(engine.CheckpointError, match="no such folder"):
        engine.Session.open(tmp_path / "owner" / "name")


def test_the_id_is_the_name_and_a_hash_of_the_weights(session: engine.Session, copy: Path):
    name, _, digest = session.checkpoint.id.partition("@")
    assert name == "demon-tiny-1"
    assert len(digest) == 12
    assert inspect(copy, "x").id == f"x@{digest}"
    (copy / "README.md").write_text("a note changes nothing")
    assert inspect(copy, "x").id == f"x@{digest}"
    path = copy / "vae" / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert inspect(copy, "x").id != f"x@{digest}"


def test_what_is_known_about_the_shipped_checkpoint(session: engine.Session):
    info = session.checkpoint
    assert info.is_turbo
    assert info.conditioning_width == 128
    assert info.weight_bytes == 21_060_032
    assert (info.folder / "MODEL_CARD.md").is_file()


def test_sharded_weights_load_like_whole_ones(session: engine.Session, copy: Path, prompt: engine.Conditioning):
    folder = copy / "transformer"
    tensors = load_file(folder / WEIGHTS)
    names = sorted(tensors)
    shards = {"a-1.safetensors": names[::2], "a-2.safetensors": names[1::2]}
    for shard, part in shards.items():
        save_file({name: tensors[name] for name in part}, folder / shard, metadata={"format": "pt"})
    weight_map = {name: shard for shard, part in shards.items() for name in part}
    (folder / f"{WEIGHTS}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    (folder / WEIGHTS).unlink()
    request = engine.Request(conditioning=prompt, frames=30, steps=2)
    with engine.Session.open(copy) as sharded:
        assert sharded.checkpoint.name == "my-checkpoint"
        np.testing.assert_array_equal(sharded.generate(request), session.generate(request))


def test_progress_reports_what_is_done_up_to_the_end():
    seen: list[tuple[str, float]] = []
    engine.Session.open(progress=lambda what, share: seen.append((what, share))).close()
    assert seen[-1] == ("Loading demon-tiny-1", 1.0)
    assert all(0.0 <= share <= 1.0 for _, share in seen)


def test_a_download_reports_megabytes_and_the_share_of_files():
    from huggingface_hub.utils.tqdm import hf_thread_map

    from engine.model.hub import _reporting_bar

    seen: list[tuple[str, float]] = []
    bar = _reporting_bar("Fetching x", lambda what, share: seen.append((what, share)))
    over_bytes = bar(total=0, initial=0, unit="B", unit_scale=True, desc="Reconstructing")
    hf_thread_map(lambda _: over_bytes.update(1_500_000), range(4), tqdm_class=bar, desc="Fetching 4 files")
    over_bytes.set_description_str("Download complete")
    over_bytes.close()
    assert seen[-1] == ("Fetching x: 6 MB", 1.0)
    assert sorted(share for _, share in seen) == [share for _, share in seen]


HUB = """
import sys
from engine.model.checkpoint import inspect
from engine.errors import CheckpointError
from engine.model.hub import download
try:
    print(inspect(download(sys.argv[1], None), sys.argv[1]).id)
except CheckpointError as error:
    print(f"CheckpointError: {error.text} | {error.fix}")
"""


def _hub(cache: Path, name: str) -> str:
    environment = os.environ | {"HF_HUB_CACHE": str(cache), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", HUB, name]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=True)
    return run.stdout.strip()


def test_a_hub_checkpoint_is_found_in_the_cache_without_a_network(session: engine.Session, tmp_path: Path):
    commit = "0123456789abcdef0123456789abcdef01234567"
    entry = tmp_path / "models--someone--tiny"
    shutil.copytree(session.checkpoint.folder, entry / "snapshots" / commit)
    (entry / "refs").mkdir()
    (entry / "refs" / "main").write_text(commit)
    digest = session.checkpoint.id.partition("@")[2]
    assert _hub(tmp_path, "someone/tiny") == f"someone/tiny@{digest}"
    assert _hub(tmp_path, f"someone/tiny@{commit}") == f"someone/tiny@{commit}@{digest}"


def test_a_hub_checkpoint_that_is_nowhere_says_what_to_run(tmp_path: Path):
    said = _hub(tmp_path, "someone/nothing")
    assert "cannot be reached" in said
    assert "demon checkpoint fetch someone/nothing" in said
