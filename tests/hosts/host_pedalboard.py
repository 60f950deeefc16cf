"""pedalboard as a VST3 host: always offline, never a rolling transport, so the plugin's own Free Run clock counts."""

from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
from numpy.typing import NDArray
from parameter_table import TABLE


class Pedalboard:
    """One plugin instance in pedalboard."""

    def __init__(self, bundle: str, rate: int, block: int) -> None:
        self.plugin = pedalboard.VST3Plugin(bundle)
        self.rate, self.size = rate, block
        by_name = {p.name: p for p in self.plugin._parameters}
        self.handle = {row.key: by_name[row.name] for row in TABLE.values() if row.name in by_name}

    def parameters(self) -> list[dict[str, Any]]:
        rows = []
        for key, handle in self.handle.items():
            default = TABLE[key].plain(handle.default_raw_value)
            rows.append({"name": handle.name, "default": default, "steps": handle.num_steps})
        return rows

    def set(self, key: str, value: float) -> None:
        self.handle[key].raw_value = TABLE[key].normal(value)

    def get(self, key: str) -> float:
        return TABLE[key].plain(self.handle[key].raw_value)

    def render(self, audio: NDArray[np.float32], events: list[tuple[int, str, float]]) -> NDArray[np.float32]:
        """Events take effect with the block that holds them: pedalboard hands parameters over between blocks."""
        outs, block = [], self.size
        for start in range(0, audio.shape[1], block):
            for at, key, value in events:
                if start <= at < start + block:
                    self.set(key, value)
            piece = np.ascontiguousarray(audio[:, start : start + block])
            outs.append(self.plugin.process(piece, self.rate, buffer_size=block, reset=start == 0))
        return np.concatenate(outs, axis=1)

    @property
    def latency(self) -> int:
        """What is declared, after an activation: pedalboard compensates it within one call of `process`."""
        self.plugin.process(np.zeros((2, self.size), np.float32), self.rate, buffer_size=self.size, reset=True)
        return self.plugin.reported_latency_samples

    def save(self, path: str) -> None:
        Path(path).write_bytes(self.plugin.preset_data)

    def load(self, path: str) -> None:
        self.plugin.load_preset(path)

    def close(self) -> None:
        del self.plugin


def open_host(job: dict[str, Any]) -> Pedalboard:
    return Pedalboard(job["bundle"], job["rate"], job["block"])
