"""The project's own CLAP host as a block-driven host: exact event offsets, CLAP's render mode, blocks of any size."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from parameter_table import TABLE

from plugin_bridge.clap_host import ClapHost, Event, Transport


class Clap:
    """One active plugin instance."""

    def __init__(self, bundle: str, rate: int, block: int) -> None:
        self.plugin = ClapHost(bundle)
        self.plugin.activate(rate, block)
        self.song: dict[str, Any] = {}

    def beat(self, tempo: float, metre: tuple[int, int]) -> None:
        self.song = {"tempo": tempo, "metre": metre}

    def parameters(self) -> list[dict[str, Any]]:
        return [{"id": p.id, "name": p.name, "default": p.default} for p in self.plugin.parameters]

    def set(self, key: str, value: float) -> None:
        self.plugin.flush([Event(0, TABLE[key].id, value)])

    def get(self, key: str) -> float:
        self.plugin.poll()
        return self.plugin.value(TABLE[key].id)

    def mode(self, offline: bool) -> None:
        self.plugin.set_offline(offline)

    @property
    def latency(self) -> int:
        """What is declared, after an activation that the plugin asked for."""
        self.plugin.poll()
        return self.plugin.latency

    def reset(self) -> None:
        self.plugin.reset()

    def block(
        self,
        audio: NDArray[np.float32],
        position: int,
        playing: bool,
        events: list[tuple[int, str, float]],
        side: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        due = [Event(at, TABLE[key].id, value) for at, key, value in sorted(events)]
        return self.plugin.process(audio, due, Transport(position, playing, **self.song), side=side).audio

    def save(self, path: str) -> None:
        Path(path).write_bytes(self.plugin.save())

    def load(self, path: str) -> None:
        if not self.plugin.load(Path(path).read_bytes()):
            raise ValueError(f"{path}: the plugin refused this state")

    def close(self) -> None:
        self.plugin.deactivate()
        self.plugin.close()


def open_host(job: dict[str, Any]) -> Clap:
    return Clap(job["bundle"], job["rate"], job["block"])
