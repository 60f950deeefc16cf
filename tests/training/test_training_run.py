"""A run: it learns, goes on where it was, and two workers are as one with twice the batch."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from msgspec.structs import replace
from torch import Tensor, nn

from engine import EngineError
from engine.training.run import plot
from engine.training.run.config import LoopConfig
from engine.training.run.log import read
from engine.training.run.loop import Draw, Task, run
from engine.training.run.world import World, spread

CONFIG = LoopConfig(steps=12, rate=0.02, warmup=2, evaluate=6, average=0.9)


class Line(Task):
    """y = W x, learnt from numbers that the step draws."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module = nn.Sequential(nn.Linear(12, 10), nn.Tanh(), nn.Linear(10, 2))
        self.matrices = frozenset({"0.weight"})
        self.settings = {}

    def losses(self, draw: Draw) -> dict[str, Tensor]:
        x = torch.randn(8, 12, generator=draw.noise)
        target = x[:, :2] + x[:, 2:4]
        return {"total": (self.module(x) - target).square().mean()}

    def evaluate(self, average: nn.Module) -> dict[str, float]:
        x = torch.randn(64, 12, generator=torch.Generator().manual_seed(7))
        with torch.no_grad():
            return {"error": float((average(x) - x[:, :2] - x[:, 2:4]).square().mean())}


class Broken(Line):
    def losses(self, draw: Draw) -> dict[str, Tensor]:
        return {"total": super().losses(draw)["total"] * float("nan")}


class StopError(Exception):
    pass


def _interrupt(at: int):
    def report(step: int, _: dict[str, float]) -> None:
        if step == at:
            raise StopError

    return report


def _train(world: World, folder: Path) -> None:
    run(Line(), CONFIG, folder, world)


def _weights(folder: Path) -> dict[str, Tensor]:
    return torch.load(folder / "weights.pt", weights_only=True)["average"]


def test_it_learns_and_logs_every_step(tmp_path: Path) -> None:
    assert run(Line(), CONFIG, tmp_path, World())
    rows = read(tmp_path / "log.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 13))
    assert [row["step"] for row in rows if "held-out error" in row] == [6, 12]
    assert rows[-1]["held-out error"] < rows[5]["held-out error"]


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tmp_path: Path) -> None:
    run(Line(), CONFIG, tmp_path / "whole", World())
    assert not run(Line(), CONFIG, tmp_path / "parts", World(), minutes=0.0)
    first = replace(CONFIG)
    assert not (tmp_path / "parts" / "log.jsonl").exists()
    for minutes in (1e-5, 1e-5, 1.0):
        run(Line(), first, tmp_path / "parts", World(), minutes=minutes)
    whole, parts = _weights(tmp_path / "whole"), _weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_what_was_not_saved_is_done_again(tmp_path: Path) -> None:
    run(Line(), CONFIG, tmp_path, World(), minutes=0.0)
    with pytest.raises(StopError):
        run(Line(), CONFIG, tmp_path, World(), report=_interrupt(5))
    assert run(Line(), CONFIG, tmp_path, World())
    assert read(tmp_path / "log.jsonl")[-1]["step"] == 12


def test_two_workers_end_with_the_same_weights_as_each_other_and_resume(tmp_path: Path) -> None:
    spread(_train, 2, tmp_path)
    rows = read(tmp_path / "log.jsonl")
    assert len(rows) == 12
    assert rows[-1]["held-out error"] < rows[5]["held-out error"]
    assert (tmp_path / "optimiser-1-of-2.pt").is_file()


def test_workers_end_with_the_command_that_was_killed(tmp_path: Path) -> None:
    code = f"from test_training_run import endless; endless({str(tmp_path)!r})"
    command = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parent)
    workers = [_pid(tmp_path / f"{rank}") for rank in range(2)]
    command.kill()
    command.wait()
    for pid in workers:
        psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=60)
        assert not psutil.pid_exists(pid)


def endless(folder: str) -> None:
    """What the test above kills."""
    spread(_forever, 2, folder)


def _forever(world: World, folder: str) -> None:
    part = Path(folder, f"{world.rank}.part")
    part.write_text(str(os.getpid()), "utf-8")
    part.rename(part.with_suffix(""))
    while True:
        time.sleep(1)


def _pid(path: Path) -> int:
    until = time.monotonic() + 120
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.1)
    return int(path.read_text("utf-8"))


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_what_was_reached(tmp_path: Path) -> None:
    run(Line(), CONFIG, tmp_path, World(), minutes=0.0)
    before = (tmp_path / "weights.pt").read_bytes()
    with pytest.raises(EngineError, match="step 1 is not finite"):
        run(Broken(), CONFIG, tmp_path, World())
    assert (tmp_path / "weights.pt").read_bytes() == before


def test_a_folder_of_another_run_is_refused_by_what_differs(tmp_path: Path) -> None:
    run(Line(), CONFIG, tmp_path, World(), minutes=0.0)
    with pytest.raises(EngineError, match=r"another rate"):
        run(Line(), replace(CONFIG, rate=0.1), tmp_path, World())


def test_the_learning_rate_rises_stays_and_falls() -> None:
    config = LoopConfig(steps=1000, rate=1.0, warmup=10, fall=0.5)
    rates = np.array([config.rate_at(step) for step in range(1000)])
    assert rates[0] == pytest.approx(0.1)
    assert (rates[10:500] == 1.0).all()
    assert (np.diff(rates[500:]) <= 0).all()
    assert rates[-1] == pytest.approx(0.01)


def test_a_run_can_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="holds no step"):
        plot.draw(tmp_path)
    run(Line(), CONFIG, tmp_path, World())
    picture = plot.draw(tmp_path)
    assert picture.read_bytes().startswith(b"\x89PNG")
