"""The corpus as latents: encoded once, read many times."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.constants import FRAME_SAMPLES, LATENT_CHANNELS
from engine.training.codec.twin import Twin
from engine.training.music import Bank, Tags, compose, render
from engine.training.music.split import held_out, training
from engine.training.run.loop import Report
from engine.training.run.world import World

FRAMES: Final = 512
"""Length of a clip: 20.48 s."""

SILENCE: Final = 15_000
"""Frames of silence that a checkpoint holds, as ACE-Step's."""

Source: TypeAlias = Callable[[int], np.random.Generator]

SETS: Final[Mapping[str, Source]] = {"held-out": held_out, "training": training}
"""Where the clips of each set come from."""

_SILENT: Final = 128  # frames that are encoded for it; after the first few all are alike


class Clips:
    """Latents of training clips and of held-out ones, in one folder."""

    def __init__(self, folder: Path, counts: Mapping[str, int]) -> None:
        """Read what `encode` wrote.

        Raises:
            FileNotFoundError: it wrote nothing there.
        """
        self._latents = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in counts}
        self.tags: dict[str, list[Tags]] = {
            name: [compose(SETS[name](index), FRAMES).tags for index in range(count)] for name, count in counts.items()
        }
        self.silence = torch.tensor(np.load(folder / "silence.npy"))

    def latent(self, name: str, index: int, start: int, frames: int) -> Tensor:
        """[frames, 64] of a clip."""
        return torch.tensor(self._latents[name][index, start : start + frames].astype(np.float32))


def encode(twin: Twin, folder: Path, counts: Mapping[str, int], world: World, report: Report | None) -> None:
    """Encode clips, and silence, into a folder.

    Args:
        twin: the trained VAE.
        folder: where the files go; those that are there and long enough stay.
        counts: clips per name of `SETS`.
        world: each worker encodes its share.
        report: progress.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if world.first:
        np.save(folder / "silence.npy", silence(twin))
    done = 0
    for name, count in counts.items():
        path = folder / f"{name}.npy"
        if not path.is_file() or np.load(path, mmap_mode="r").shape[0] < count:
            _encode(twin, path, SETS[name], count, world, done, report)
        done += count


def silence(twin: Twin) -> NDArray[np.float32]:
    """[1, 15000, 64]: what the encoder makes of silence, its beginning included, which marks where a song begins."""
    with torch.inference_mode():
        short = twin.encode(torch.zeros(1, 2, _SILENT * FRAME_SAMPLES))[0].T.numpy()
    steady = short[_SILENT // 2]
    return np.concatenate((short[: _SILENT // 2], np.tile(steady, (SILENCE - _SILENT // 2, 1))))[None]


def _encode(
    twin: Twin, path: Path, source: Source, count: int, world: World, before: int, report: Report | None
) -> None:
    bank = Bank()
    part = path.with_suffix(".part")
    shape = (count, FRAMES, LATENT_CHANNELS)
    if world.first:
        np.lib.format.open_memmap(part, mode="w+", dtype=np.float16, shape=shape).flush()
    world.meet()
    file = np.lib.format.open_memmap(part, mode="r+")
    for index in range(world.rank, count, world.size):
        audio = torch.tensor(render(compose(source(index), FRAMES), bank))
        with torch.inference_mode():
            file[index] = twin.encode(audio[None])[0].T.numpy()
        if report:
            report(before + index + 1, {})
    file.flush()
    world.meet()
    if world.first:
        part.replace(path)
    world.meet()
