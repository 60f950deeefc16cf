"""LoRA files: every key style and scale rule against float64, and what is refused."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from lora_files import SHAPES, STYLES, Factors, config, factors, kohya, write
from safetensors.torch import save_file as save_torch
from torch import nn

from engine import LoraError, LoraLibrary, Session
from engine.lora import metadata
from engine.lora.file import read
from engine.model.models import load


@pytest.fixture(scope="module")
def transformer(session: Session) -> nn.Module:
    return load(session.checkpoint).transformer


@pytest.fixture
def library(transformer: nn.Module) -> LoraLibrary:
    return LoraLibrary(transformer)


def expected(transformer: nn.Module, parts: Factors, scale: dict[str, float] | float) -> dict[str, np.ndarray]:
    """W + scale * up @ down in float64."""
    weights = {}
    for layer, (down, up) in parts.items():
        weight = transformer.get_submodule(layer).weight.detach().numpy().astype(np.float64)
        factor = scale if isinstance(scale, float) else scale[layer]
        weights[f"{layer}.weight"] = weight + factor * (up.astype(np.float64) @ down.astype(np.float64))
    return weights


def assert_adds(
    library: LoraLibrary, transformer: nn.Module, path: Path, parts: Factors, scale: dict[str, float] | float
):
    (info,) = library.register(path)
    merged = library.merged({info.name: 1.0})
    wanted = expected(transformer, parts, scale)
    assert merged.keys() == wanted.keys()
    for key, weight in wanted.items():
        np.testing.assert_allclose(merged[key].numpy(), weight, atol=1e-6, rtol=0, err_msg=key)
        base = transformer.get_parameter(key).detach().numpy()
        assert np.abs(merged[key].numpy() - base).max() > 1e-3, "the LoRA must do something for this to be a test"


@pytest.mark.parametrize("style", STYLES)
def test_every_key_style_adds_up_times_down(style: str, tmp_path: Path, library: LoraLibrary, transformer: nn.Module):
    parts = factors()
    assert_adds(library, transformer, write(tmp_path / "x.safetensors", STYLES[style](parts)), parts, 1.0)


def test_a_kohya_alpha_tensor_scales_by_alpha_over_rank(tmp_path: Path, library: LoraLibrary, transformer: nn.Module):
    parts = factors(rank=2)
    assert_adds(library, transformer, write(tmp_path / "x.safetensors", kohya(parts, alpha=8.0)), parts, 4.0)


def test_adapter_config_scales_by_alpha_over_rank(tmp_path: Path, library: LoraLibrary, transformer: nn.Module):
    parts = factors(rank=4)
    config(tmp_path, lora_alpha=10, r=4)
    assert_adds(library, transformer, write(tmp_path / "x.safetensors", STYLES["peft"](parts)), parts, 2.5)


def test_a_rank_stabilised_lora_scales_by_alpha_over_the_root_of_rank(
    tmp_path: Path, library: LoraLibrary, transformer: nn.Module
):
    parts = factors(rank=4)
    config(tmp_path, lora_alpha=3, r=4, use_rslora=True)
    assert_adds(library, transformer, write(tmp_path / "x.safetensors", STYLES["peft"](parts)), parts, 3 / math.sqrt(4))


def test_alpha_and_rank_patterns_apply_to_the_layers_that_they_name(
    tmp_path: Path, library: LoraLibrary, transformer: nn.Module
):
    parts = factors(rank=4) | factors(seed=2, rank=2, layers=("layers.5.mlp.down_proj",))
    config(
        tmp_path,
        lora_alpha=4,
        r=4,
        rank_pattern={"down_proj": 2},
        alpha_pattern={"down_proj": 6, r"layers.0.self_attn.q_proj$": 8},
    )
    scale = dict.fromkeys(SHAPES, 1.0) | {"layers.5.mlp.down_proj": 3.0, "layers.0.self_attn.to_q": 2.0}
    assert_adds(library, transformer, write(tmp_path / "x.safetensors", STYLES["peft"](parts)), parts, scale)


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ({"ss_network_alpha": "2", "ss_network_dim": "4"}, 0.5),
        ({"lora_adapter_metadata": json.dumps({"transformer.lora_alpha": 6, "transformer.r": 4})}, 1.5),
        ({"lora_adapter_metadata": json.dumps({"transformer.lora_alpha": 6, "transformer.use_rslora": True})}, 3.0),
        ({"ss_network_alpha": "None"}, 1.0),
    ],
)
def test_the_safetensors_header_gives_alpha_where_nothing_else_does(
    header: dict[str, str], scale: float, tmp_path: Path, library: LoraLibrary, transformer: nn.Module
):
    parts = factors(rank=4)
    path = write(tmp_path / "x.safetensors", STYLES["diffusers"](parts), header)
    assert_adds(library, transformer, path, parts, scale)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_half_and_double_files_are_read_by_value(dtype: torch.dtype, tmp_path: Path, library: LoraLibrary):
    tensors = {key: torch.tensor(value).to(dtype) for key, value in STYLES["diffusers"](factors()).items()}
    save_torch(tensors, tmp_path / "x.safetensors")
    save_torch({key: value.float() for key, value in tensors.items()}, tmp_path / "y.safetensors")
    first, second = library.register(tmp_path)
    assert first.hash == second.hash


def test_identity_is_what_a_lora_adds_and_not_how_its_file_spells_it(tmp_path: Path, library: LoraLibrary):
    parts = factors()
    for style, make in STYLES.items():
        write(tmp_path / f"{style}.safetensors", make(parts), {"comment": style})
    write(tmp_path / "alpha.safetensors", kohya(parts, alpha=4.0))
    hashes = {info.hash for info in library.register(tmp_path)}
    assert len(hashes) == 1
    other = write(tmp_path / "louder.safetensors", kohya(parts, alpha=5.0))
    assert library.register(other)[0].hash not in hashes


def test_layers_that_this_dit_does_not_have_are_counted_and_skipped(tmp_path: Path, library: LoraLibrary):
    tensors = STYLES["diffusers"](factors())
    for layer in ("transformer.layers.77.self_attn.to_q", "text_encoder.layers.0.q_proj"):
        tensors |= {f"{layer}.lora_A.weight": np.ones((2, 8)), f"{layer}.lora_B.weight": np.ones((8, 2))}
    (info,) = library.register(write(tmp_path / "x.safetensors", tensors))
    assert (info.matched, info.skipped, info.rank) == (len(SHAPES), 2, 4)


Q = "transformer.layers.0.self_attn.to_q"


def _refusals() -> dict[str, tuple[dict[str, np.ndarray], str]]:
    fine = STYLES["diffusers"](factors())

    def changed(key: str, value: np.ndarray) -> dict[str, np.ndarray]:
        return fine | {key: value}

    nan = fine[f"{Q}.lora_A.weight"].copy()
    nan[0, 0] = np.nan
    lone = {key: value for key, value in fine.items() if key != f"{Q}.lora_B.weight"}
    return {
        "dora": (changed(f"{Q}.lora_magnitude_vector", np.ones(192)), "DoRA"),
        "dora-kohya": (changed("lora_unet_layers_0_self_attn_to_q.dora_scale", np.ones(192)), "DoRA"),
        "lokr": ({"lora_unet_layers_0_self_attn_to_q.lokr_w1": np.ones((8, 8))}, "LoKr"),
        "loha": ({"lora_unet_layers_0_self_attn_to_q.hada_w1_a": np.ones((8, 8))}, "LoHa"),
        "conv": (changed(f"{Q}.lora_A.weight", np.ones((4, 192, 3))), "convolutional"),
        "bias": (changed(f"{Q}.lora_B.bias", np.ones(192)), "biases"),
        "whole weight": (changed("transformer.norm_out.weight", np.ones(192)), "norm_out.weight is no LoRA factor"),
        "matches nothing": ({"a.lora_A.weight": np.ones((2, 3)), "a.lora_B.weight": np.ones((3, 2))}, "none of its 1"),
        "wrong width": (changed(f"{Q}.lora_A.weight", np.ones((4, 256))), rf"{Q}.lora_A.weight is \[4, 256\]"),
        "wrong height": (changed(f"{Q}.lora_B.weight", np.ones((2048, 4))), rf"{Q}.lora_B.weight is \[2048, 4\]"),
        "ranks differ": (changed(f"{Q}.lora_B.weight", np.ones((192, 3))), r"needs \[192, 4\]"),
        "one factor": (lone, "lacks one of its two factors"),
        "not finite": (changed(f"{Q}.lora_A.weight", nan), "NaN"),
        "integers": (changed(f"{Q}.lora_A.weight", np.ones((4, 192), np.int32)), "int32"),
        "rank": (
            changed(f"{Q}.lora_A.weight", np.ones((5000, 192))) | {f"{Q}.lora_B.weight": np.ones((192, 5000))},
            "rank 5000",
        ),
        "twice": (fine | STYLES["reference"](factors(2)), "second tensor of its kind"),
        "alpha": (changed("lora_unet_layers_0_self_attn_to_q.alpha", np.ones(3)), "second|not one number"),
        "alpha not finite": (kohya(factors(), alpha=math.inf), "not one number"),
    }


@pytest.mark.parametrize("case", _refusals())
def test_what_is_not_a_lora_of_this_dit_is_refused_by_name(case: str, tmp_path: Path, library: LoraLibrary):
    tensors, message = _refusals()[case]
    path = write(tmp_path / "bad.safetensors", tensors)
    with pytest.raises(LoraError, match=message) as caught:
        library.register(path)
    assert "bad.safetensors" in caught.value.text
    assert library.list() == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('{"use_dora": true}', "DoRA"),
        ('{"lora_alpha": "loud"}', "lora_alpha"),
        ('{"lora_alpha": NaN}', "lora_alpha"),
        ('{"lora_alpha": 1, "alpha_pattern": {"(a+)+$": 2}}', "alpha_pattern"),
        ('{"lora_alpha": 1, "alpha_pattern": [2]}', "alpha_pattern"),
        ("[1]", "not a JSON object"),
        ("{", "not JSON"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(
    settings: str, message: str, tmp_path: Path, library: LoraLibrary
):
    path = write(tmp_path / "x.safetensors", STYLES["peft"](factors()))
    (tmp_path / "adapter_config.json").write_text(settings)
    with pytest.raises(LoraError, match=message):
        library.register(path)


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", b"\xff" * 64, b'\x08\0\0\0\0\0\0\0{"a":1}}'])
def test_bytes_that_are_no_safetensors_file_are_refused(content: bytes, tmp_path: Path, library: LoraLibrary):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    with pytest.raises(LoraError, match="damaged"):
        library.register(path)


def test_a_pickle_is_not_opened(tmp_path: Path, library: LoraLibrary):
    (tmp_path / "x.pt").write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(LoraError, match=r"not a \.safetensors file"):
        library.register(tmp_path / "x.pt")
    with pytest.raises(LoraError, match="no such file"):
        library.register(tmp_path / "y.safetensors")


def test_reading_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, transformer: nn.Module):
    path = write(tmp_path / "x.safetensors", STYLES["peft"](factors()))
    monkeypatch.setattr("engine.lora.file.MAX_TENSORS", 3)
    with pytest.raises(LoraError, match="10 tensors are more than 3"):
        read(path, SHAPES)
    monkeypatch.setattr("engine.lora.file.MAX_BYTES", 100)
    with pytest.raises(LoraError, match="bytes are more than"):
        read(path, SHAPES)


FULL = {
    "schema_version": 1,
    "name": "Dark",
    "description": "Darker.",
    "model": {"base_model": "demon-tiny-1", "base_model_scale": "tiny"},
    "inference": {"trigger_words": ["drk", "", "low"], "recommended_strength": 0.8, "recommended_steps": 8},
    "classification": {"primary_genre": "techno", "secondary_genres": ["dub"], "tags": ["a"], "moods": ["b"]},
}


def test_the_metadata_file_is_read(tmp_path: Path):
    (tmp_path / "x.metadata.json").write_text(json.dumps(FULL))
    said = metadata.read(tmp_path / "x.safetensors")
    assert (said.title, said.description, said.base_model) == ("Dark", "Darker.", "demon-tiny-1")
    assert (said.trigger_words, said.primary_trigger_word) == (("drk", "low"), "drk")
    assert (said.recommended_strength, said.recommended_steps, said.recommended_shift) == (0.8, 8.0, None)
    assert (said.primary_genre, said.secondary_genres, said.moods) == ("techno", ("dub",), ("b",))
    assert said.problems == ()


def test_the_older_trigger_file_is_read_where_there_is_no_metadata(tmp_path: Path):
    (tmp_path / "x.trigger.txt").write_text(" drk \n")
    said = metadata.read(tmp_path / "x.safetensors")
    assert (said.trigger_words, said.primary_trigger_word, said.problems) == (("drk",), "drk", ())
    assert metadata.read(tmp_path / "y.safetensors") == metadata.LoraMetadata()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "cannot be read"),
        (b" " * 300_000, "larger than"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_bad_metadata_file_falls_back_to_the_trigger_file_and_says_so(content: bytes, problem: str, tmp_path: Path):
    (tmp_path / "x.metadata.json").write_bytes(content)
    (tmp_path / "x.trigger.txt").write_text("drk")
    said = metadata.read(tmp_path / "x.safetensors")
    assert said.primary_trigger_word == "drk"
    assert any(problem in sentence for sentence in said.problems)


def test_bad_fields_are_left_out_one_by_one(tmp_path: Path):
    bad = FULL | {
        "schema_version": 9,
        "description": 3,
        "model": [],
        "inference": {"trigger_words": ["ok", 4], "recommended_strength": True, "recommended_steps": "8"},
        "classification": {"tags": "techno", "moods": ["x" * 500]},
    }
    (tmp_path / "x.metadata.json").write_text(json.dumps(bad))
    said = metadata.read(tmp_path / "x.safetensors")
    assert (said.title, said.trigger_words, said.recommended_strength, said.tags) == ("Dark", ("ok",), None, ())
    assert len(said.problems) == 8
