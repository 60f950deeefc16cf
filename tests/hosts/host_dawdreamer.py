"""DawDreamer as a VST3 host: a graph that renders with a rolling transport, automation arrays read at block starts."""

from typing import Any

import dawdreamer
import numpy as np
from numpy.typing import NDArray
from parameter_table import TABLE


class DawDreamer:
    """One plugin instance behind one playback processor."""

    def __init__(self, bundle: str, rate: int, block: int) -> None:
        self.engine = dawdreamer.RenderEngine(rate, block)
        self.engine.set_bpm(120.0)
        self.rate = rate
        self.player = self.engine.make_playback_processor("in", np.zeros((2, rate), np.float32))
        self.plugin = self.engine.make_plugin_processor("fx", bundle)
        self.rows = {row["name"]: row for row in self.plugin.get_parameters_description()}
        self.index = {row.key: self.rows[row.name]["index"] for row in TABLE.values() if row.name in self.rows}
        self.engine.load_graph([(self.player, []), (self.plugin, ["in"])])

    def parameters(self) -> list[dict[str, Any]]:
        found = [(key, self.rows[TABLE[key].name]) for key in self.index]
        return [
            {"name": row["name"], "default": TABLE[key].plain(row["defaultValue"]), "steps": row["numSteps"]}
            for key, row in found
        ]

    def set(self, key: str, value: float) -> None:
        self.plugin.set_parameter(self.index[key], TABLE[key].normal(value))

    def get(self, key: str) -> float:
        return TABLE[key].plain(self.plugin.get_parameter(self.index[key]))

    def render(self, audio: NDArray[np.float32], events: list[tuple[int, str, float]]) -> NDArray[np.float32]:
        """The block size is the engine's own; a key with events becomes an audio-rate array of held values."""
        self.player.set_data(audio)
        total = audio.shape[1]
        for key in {key for _, key, _ in events}:
            lane = np.full(total, TABLE[key].normal(self.get(key)), np.float32)
            for at, name, value in sorted(events):
                if name == key:
                    lane[at:] = TABLE[key].normal(value)
            self.plugin.set_automation(self.index[key], lane)
        self.engine.render(total / self.rate)
        return np.ascontiguousarray(self.engine.get_audio()[:, :total])

    def save(self, path: str) -> None:
        self.plugin.save_state(path)

    def load(self, path: str) -> None:
        if path.endswith(".vstpreset"):
            assert self.plugin.load_vst3_preset(path)
        else:
            self.plugin.load_state(path)

    def close(self) -> None:
        del self.plugin, self.player, self.engine


def open_host(job: dict[str, Any]) -> DawDreamer:
    return DawDreamer(job["bundle"], job["rate"], job["block"])
