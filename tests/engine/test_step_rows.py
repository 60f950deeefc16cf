"""The maths of the step gives a row the same bits alone as among others, on one thread as on two."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.step import guidance
from engine.step import primitives as step


@pytest.fixture(params=[1, 2])
def _threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def _everything(x: Tensor, v: Tensor, n: Tensor, curve: Tensor, time: Tensor) -> list[Tensor]:
    direction = guidance.direction(v, n, x, curve)
    guided = guidance.guided(v, direction, 1.0 + curve, eta=time, norm_threshold=time)
    clean = step.clean(x, v, time)
    return [
        direction,
        guided,
        guidance.rescaled(guided, v, curve),
        step.mix(x, clean, curve),
        step.noised(n, clean, time),
        step.euler(x, v, time),
        step.toward(x, clean, time),
        step.kept(x, n, curve),
    ]


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("frames", [30, 250, 400, 1500])
def test_a_row_has_the_same_bits_alone_as_among_others(frames: int):
    rng = np.random.default_rng(frames)
    x, v, n = torch.tensor(rng.standard_normal((3, 8, frames, 64)), dtype=torch.float32)
    curve = torch.tensor(rng.uniform(0.0, 1.0, (8, frames, 1)), dtype=torch.float32)
    time = torch.tensor(rng.uniform(0.1, 1.0, (8, 1, 1)), dtype=torch.float32)
    for rows in ([0], [3], [7, 2], [5, 1, 4], list(range(8))):
        together = _everything(x[rows], v[rows], n[rows], curve[rows], time[rows])
        for at, row in enumerate(rows):
            alone = _everything(*(part[row : row + 1] for part in (x, v, n, curve, time)))
            assert all(torch.equal(many[at], one[0]) for many, one in zip(together, alone, strict=True))
