"""A recipe of toy size, whose checkpoint is as a large one but for what it knows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from engine.training.recipe import Recipe, read

TOY = """
name = "toy"
deviation = 0.14

[widths]
encoder = [8, 8, 8, 8, 16, 16]
encoder_units = [0, 0, 0, 0, 1]
decoder = [8, 8, 8, 16, 16, 16]
decoder_units = [0, 0, 1, 0, 1]
stock = 16

[codec]
batch = 1
frames = 6
compiled = false

[codec_run]
steps = 4
rate = 1e-3
warmup = 2
evaluate = 4

[decoder]
batch = 1
frames = 6
compiled = false

[decoder_run]
steps = 2
rate = 1e-3
warmup = 1
evaluate = 2

[sizes]
width = 64
layers = 2
heads = 2
mlp = 64
text_width = 64
text_layers = 1
vocabulary = 400

[batches]
size = 2
frames = [30, 40]
training_clips = 3
held_out_clips = 2

[flow]
bfloat16 = true
guided_from = 2

[flow_run]
steps = 4
rate = 1e-3
warmup = 2
evaluate = 4
"""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """As a worker has it: on small tensors more are slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "toy.toml"
    path.write_text(TOY, "utf-8")
    return path


@pytest.fixture(scope="session")
def recipe(toy: Path) -> Recipe:
    return read(toy)
