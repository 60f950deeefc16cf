"""minihost as a block-driven VST3 host: sample-exact automation by splitting blocks, a transport set per block."""

from typing import Any

import minihost
import numpy as np
from minihost import vstpreset
from numpy.typing import NDArray
from parameter_table import TABLE

TEMPO = 120.0


class Minihost:
    """One plugin instance in one minihost."""

    def __init__(self, bundle: str, rate: int, block: int, sidechain: bool = False) -> None:
        self.plugin = minihost.Plugin(bundle, sample_rate=rate, max_block_size=block, sidechain_channels=2 * sidechain)
        self.rate = rate
        infos = [self.plugin.get_param_info(k) for k in range(self.plugin.num_params)]
        by_id = {int(info["id"]): k for k, info in enumerate(infos)}
        self.infos = infos
        self.index = {row.key: by_id[row.id] for row in TABLE.values() if row.id in by_id}

    def parameters(self) -> list[dict[str, Any]]:
        rows = []
        for key, k in self.index.items():
            info = self.infos[k]
            default = TABLE[key].plain(info["default_value"])
            rows.append({"id": int(info["id"]), "name": info["name"], "default": default, "steps": info["num_steps"]})
        return rows

    def set(self, key: str, value: float) -> None:
        self.plugin.set_param(self.index[key], TABLE[key].normal(value))

    def get(self, key: str) -> float:
        return TABLE[key].plain(self.plugin.get_param(self.index[key]))

    def mode(self, offline: bool) -> None:
        self.plugin.non_realtime = offline

    @property
    def latency(self) -> int:
        """What is declared, after an activation, which minihost does when the rate changes."""
        self.plugin.sample_rate = self.rate + 1
        self.plugin.sample_rate = self.rate
        return self.plugin.latency_samples

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
        out = np.zeros_like(audio)
        self.plugin.set_transport(
            bpm=TEMPO,
            position_samples=position,
            position_beats=position / self.rate * TEMPO / 60,
            is_playing=playing,
        )
        if side is not None:
            assert not events, "minihost takes no sample-exact events beside a side-chain"
            self.plugin.process_sidechain(audio, out, side)
            return out
        changes = [(at, self.index[key], TABLE[key].normal(value)) for at, key, value in sorted(events)]
        self.plugin.process_auto(audio, out, [], changes)
        return out

    def save(self, path: str) -> None:
        vstpreset.save_vstpreset(path, self.plugin, self.class_id())

    def class_id(self) -> str:
        try:
            return vstpreset.read_class_id_from_bundle(self.plugin.path)
        except (FileNotFoundError, ValueError, RuntimeError):
            return "0" * 32  # the loader of minihost needs none; the component chunk is what counts

    def load(self, path: str) -> None:
        vstpreset.load_vstpreset(path, self.plugin)

    def close(self) -> None:
        self.plugin.close()


def open_host(job: dict[str, Any]) -> Minihost:
    return Minihost(job["bundle"], job["rate"], job["block"], job.get("sidechain", False))
