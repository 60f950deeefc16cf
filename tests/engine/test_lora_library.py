"""LoRAs acting: the delta, exact absence, several at once, and the catalogue's words."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lora_files import STYLES, factors, kohya, write

from engine import Conditioning, LoraError, LoraLibrary, Request, RequestError, Session
from engine.backends.eager import EagerBackend
from engine.dit.linear import Linear
from engine.model.models import Models, load

FRAMES = 60


@pytest.fixture(scope="module")
def models(session: Session) -> Models:
    return load(session.checkpoint)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("loras")
    write(folder / "one.safetensors", STYLES["peft"](factors(1)))
    write(folder / "two.safetensors", kohya(factors(2, rank=3), alpha=6.0))
    write(
        folder / "deep" / "adapter_model.safetensors",
        STYLES["diffusers"](factors(3, layers=("layers.0.self_attn.to_q",))),
    )
    return folder


class Row:
    """One row of the DiT, through a backend of its own."""

    def __init__(self, models: Models, files: Path, prompt: Conditioning) -> None:
        self.loras = LoraLibrary(models.transformer)
        self.loras.register(files)
        self._backend = EagerBackend(models, self.loras)
        self._prompt = prompt
        self._x = torch.tensor(np.random.default_rng(3).standard_normal((1, FRAMES, 64), dtype=np.float32))
        self._context = torch.cat((self._x.flip(1), torch.ones_like(self._x)), dim=-1)

    def velocity(self, **loras: float) -> np.ndarray:
        return self._backend.dit_step(self._x, 0.6, self._prompt, self._context, loras).numpy()


@pytest.fixture(scope="module")
def row(session: Session, files: Path, prompt: Conditioning) -> Row:
    return Row(load(session.checkpoint), files, prompt)


@pytest.fixture(scope="module")
def bare(row: Row) -> bytes:
    return row.velocity().tobytes()


@pytest.mark.parametrize("strengths", [{"one": 1.0}, {"two": -0.5}, {"one": 0.7, "two": 1.5, "deep": 1.0}])
def test_a_forward_with_loras_equals_one_with_merged_weights(
    strengths: dict[str, float], row: Row, bare: bytes, session: Session, files: Path, prompt: Conditioning
):
    merged_models = load(session.checkpoint)
    merged_row = Row(merged_models, files, prompt)
    for key, weight in row.loras.merged(strengths).items():
        merged_models.transformer.get_parameter(key).data.copy_(weight)
    wanted = merged_row.velocity()
    found = row.velocity(**strengths)
    np.testing.assert_allclose(found, wanted, atol=2e-5, rtol=0)
    assert np.abs(found - np.frombuffer(bare, np.float32).reshape(found.shape)).max() > 1e-2


def test_one_layer_adds_what_the_formula_says(models: Models, files: Path):
    library = LoraLibrary(models.transformer)
    library.register(files)
    layer = models.transformer.get_submodule("layers.5.mlp.down_proj")
    x = np.random.default_rng(5).standard_normal((7, 512)).astype(np.float32)
    one, two = factors(1)["layers.5.mlp.down_proj"], factors(2, rank=3)["layers.5.mlp.down_proj"]
    added = library.factors({"two": -1.25, "one": 0.3})["layers.5.mlp.down_proj"]
    found = Linear(layer.weight.detach(), None, added)(torch.tensor(x)).numpy()
    wide = x.astype(np.float64)
    wanted = wide @ layer.weight.numpy().astype(np.float64).T
    for strength, scale, (down, up) in ((0.3, 1.0, one), (-1.25, 2.0, two)):
        wanted += strength * scale * (wide @ down.astype(np.float64).T) @ up.astype(np.float64).T
    np.testing.assert_allclose(found, wanted, atol=1e-4, rtol=0)


@settings(max_examples=12)
@given(
    st.dictionaries(st.sampled_from(["one", "two", "deep"]), st.floats(-2, 2, width=32), min_size=1),
    st.sampled_from(["absent", "zero"]),
)
def test_a_lora_that_does_not_act_is_bit_exactly_absent(row: Row, bare: bytes, strengths: dict[str, float], how: str):
    row.velocity(**strengths)
    after = row.velocity(**(dict.fromkeys(strengths, 0.0) if how == "zero" else {}))
    assert after.tobytes() == bare


def test_a_lora_at_strength_0_changes_nothing_beside_another(row: Row):
    assert row.velocity(one=0.5, two=0.0).tobytes() == row.velocity(one=0.5).tobytes()


def test_the_order_of_naming_does_not_change_the_bits(row: Row):
    first = row.velocity(one=0.5, two=0.25, deep=1.0)
    assert row.velocity(deep=1.0, two=0.25, one=0.5).tobytes() == first.tobytes()


def test_rows_may_alternate_between_loras(row: Row):
    alone = {name: row.velocity(**{name: 0.8}).tobytes() for name in ("one", "two", "deep")}
    for _ in range(2):
        for name, velocity in alone.items():
            assert row.velocity(**{name: 0.8}).tobytes() == velocity


@pytest.mark.parametrize("word", ["disable", "remove", "forget"])
def test_what_was_enabled_leaves_no_trace(word: str, models: Models, files: Path, prompt: Conditioning):
    row = Row(models, files, prompt)
    before = {key: value.clone() for key, value in models.transformer.state_dict().items()}
    bare = row.velocity()
    row.loras.enable("one", 1.0)
    row.loras.enable("two", 0.5)
    assert row.velocity(**row.loras.active()).tobytes() != bare.tobytes()
    getattr(row.loras, word)("one")
    getattr(row.loras, word)("two")
    assert row.loras.active() == {}
    assert row.velocity(**row.loras.active()).tobytes() == bare.tobytes()
    after = models.transformer.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], value) for key, value in before.items())


@pytest.fixture
def library(models: Models, files: Path) -> LoraLibrary:
    library = LoraLibrary(models.transformer)
    library.register(files)
    return library


def states(library: LoraLibrary) -> dict[str, str]:
    return {info.name: info.state for info in library.list()}


def test_the_catalogue_says_what_each_word_left_behind(library: LoraLibrary):
    assert states(library) == {"deep": "registered", "one": "registered", "two": "registered"}
    library.enable("one", 0.5)
    library.enable("two")
    library.enable("deep")
    library.disable("one")
    library.remove("two")
    library.forget("deep")
    assert states(library) == {"one": "loaded", "two": "registered"}
    assert [info.strength for info in library.list()] == [0.5, 1.0]


def test_enabling_an_enabled_lora_applies_the_new_strength(library: LoraLibrary):
    library.enable("one", 0.5)
    library.enable("one", 0.75)
    assert library.active() == {"one": 0.75}
    library.enable("one")
    assert library.active() == {"one": 0.75}
    library.set_strength("one", 0.25)
    assert library.active() == {"one": 0.25}


def test_a_mapping_handed_out_never_changes_under_its_holder(library: LoraLibrary):
    library.enable("one", 0.5)
    held = library.active()
    assert library.active() is held
    library.set_strength("one", 0.9)
    assert held == {"one": 0.5}


def test_registering_again_changes_nothing(library: LoraLibrary, files: Path):
    library.enable("one", 0.5)
    again = library.register(files)
    assert [info.name for info in again] == ["deep", "one", "two"]
    assert library.active() == {"one": 0.5}


def test_another_lora_of_a_taken_name_is_refused_by_both_paths(library: LoraLibrary, tmp_path: Path):
    other = write(tmp_path / "one.safetensors", STYLES["peft"](factors(9)))
    with pytest.raises(LoraError, match=r"'one' belongs to another LoRA, .*loras.*one\.safetensors"):
        library.register(other)
    (info,) = library.register(other, name="other one")
    assert info.name == "other one"


def test_a_folder_with_a_bad_file_registers_all_or_what_it_can(models: Models, files: Path, tmp_path: Path):
    write(tmp_path / "a.safetensors", STYLES["peft"](factors(1)))
    (tmp_path / "b.safetensors").write_bytes(b"no")
    library = LoraLibrary(models.transformer)
    with pytest.raises(LoraError, match=r"b\.safetensors"):
        library.register(tmp_path)
    assert library.list() == ()
    refused: list[LoraError] = []
    assert [info.name for info in library.register(tmp_path, on_refused=refused.append)] == ["a"]
    assert len(refused) == 1


def test_a_file_that_changed_or_went_is_refused_and_nothing_changes(models: Models, tmp_path: Path):
    path = write(tmp_path / "x.safetensors", STYLES["peft"](factors(1)))
    library = LoraLibrary(models.transformer)
    library.register(path)
    write(path, STYLES["peft"](factors(2)))
    with pytest.raises(LoraError, match="has changed"):
        library.enable("x")
    path.unlink()
    with pytest.raises(LoraError, match="no such file"):
        library.enable("x")
    assert (states(library), library.active()) == ({"x": "registered"}, {})


@pytest.mark.parametrize("strength", [float("nan"), float("inf"), 11, True, "loud", None])
def test_a_strength_that_is_no_number_in_range_is_refused(library: LoraLibrary, strength: object):
    library.enable("one", 0.5)
    with pytest.raises(RequestError, match=r"loras\.one"):
        library.checked({"one": strength})
    if strength is not None:  # which keeps the strength there is
        with pytest.raises(RequestError, match="strength"):
            library.enable("one", strength)
    assert library.active() == {"one": 0.5}


def test_only_an_enabled_lora_has_a_strength_to_set(library: LoraLibrary):
    with pytest.raises(RequestError, match="is not enabled"):
        library.set_strength("two", 1.0)
    with pytest.raises(RequestError, match="not a mapping"):
        library.checked([("one", 1.0)])


def test_a_name_that_is_not_registered_is_refused_with_those_that_are(library: LoraLibrary):
    for call in (library.enable, library.disable, library.remove, library.forget):
        with pytest.raises(RequestError, match="Registered: deep, one, two"):
            call("three")
    with pytest.raises(RequestError, match="'three'"):
        library.factors({"three": 1.0})
    with pytest.raises(RequestError, match="not text"):
        library.checked({3: 1.0})


def test_a_ninth_enabled_lora_is_refused(models: Models, tmp_path: Path):
    library = LoraLibrary(models.transformer)
    for index in range(9):
        write(tmp_path / f"{index}.safetensors", STYLES["peft"](factors(index, layers=("layers.0.self_attn.to_q",))))
    library.register(tmp_path)
    for index in range(8):
        library.enable(str(index), 0.1)
    with pytest.raises(RequestError, match="more than 8"):
        library.enable("8")
    assert len(library.active()) == 8


def test_loras_have_the_identity_of_their_content_and_strength(library: LoraLibrary, files: Path):
    assert library.identity({"one": 0.0}) == library.identity({}) == ()
    both = library.identity({"two": 0.25, "one": 0.5, "deep": 0.0})
    assert both == library.identity({"one": 0.5, "two": 0.25})
    assert len({library.identity({"one": 0.5}), library.identity({"two": 0.5}), library.identity({"one": 0.25})}) == 3


def test_a_strength_makes_new_gains_and_shares_the_factors(library: LoraLibrary):
    weak, strong = (library.factors({"one": strength}) for strength in (0.25, 0.5))
    assert weak.keys() == strong.keys()
    for layer, low in weak.items():
        assert low.down is strong[layer].down
        assert low.up is strong[layer].up
        assert torch.equal(low.gains * 2, strong[layer].gains)


def test_a_session_applies_and_removes_loras_by_file(session: Session, files: Path):
    name = session.apply_lora(files / "one.safetensors", 0.5)
    try:
        assert session.loras.active()[name] == 0.5
        with pytest.raises(RequestError, match="is a folder"):
            session.apply_lora(files)
        session.remove_loras()
        assert session.loras.active() == {}
        assert name in {info.name for info in session.loras.list()}
    finally:
        session.loras.forget(name)


def test_enabled_loras_act_in_generations_that_name_none(session: Session, files: Path, prompt: Conditioning):
    def generate(**fields: object) -> bytes:
        return session.generate(Request(conditioning=prompt, frames=30, steps=2, seed=3, **fields)).tobytes()

    bare = generate()
    name = session.apply_lora(files / "one.safetensors", 0.5)
    try:
        enabled = generate()
        assert enabled != bare
        assert generate(loras={}) == bare
        session.loras.set_strength(name, 0.0)
        assert generate() == bare
        session.remove_loras()
        assert generate() == bare
        assert generate(loras={name: 0.5}) == enabled
    finally:
        session.loras.forget(name)
    assert generate() == bare
