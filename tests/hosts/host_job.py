"""The child process of a host test: loads one bundle in one host, does the steps of a job, writes what it saw.

`python host_job.py JOB.json`, where the job is `{"host", "bundle", "rate", "block", "steps": [{"do": name, ...}]}` and
its folder receives `result.json` (one entry per step) and the `.npy` files that steps name. A host that crashes or
hangs takes only this process with it.

Song positions and event times are samples at the host rate; values are plain values of `parameters.toml`.
"""

import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from parameter_table import STATUS

Audio = NDArray[np.float32]
Event = tuple[int, str, float]
Step = dict[str, Any]


class Host(Protocol):
    """What every driver can do."""

    def parameters(self) -> list[dict[str, Any]]: ...
    def set(self, key: str, value: float) -> None: ...
    def get(self, key: str) -> float: ...
    @property
    def latency(self) -> int: ...
    def save(self, path: str) -> None: ...
    def load(self, path: str) -> None: ...
    def close(self) -> None: ...


class BlockHost(Host, Protocol):
    """A host that lets the caller drive every block and its song position."""

    def mode(self, offline: bool) -> None: ...
    def block(self, audio: Audio, position: int, playing: bool, events: list[Event], **side: Audio) -> Audio: ...
    def reset(self) -> None: ...


class RenderHost(Host, Protocol):
    """A host that renders a whole stretch by itself."""

    def render(self, audio: Audio, events: list[Event]) -> Audio: ...


def block_sizes(blocks: int | list[int], total: int) -> Iterator[int]:
    """Sizes that add up to `total`; a list is repeated as a pattern."""
    pattern = [blocks] if isinstance(blocks, int) else blocks
    done, k = 0, 0
    while done < total:
        size = min(pattern[k % len(pattern)], total - done)
        yield size
        done, k = done + size, k + 1


def kill_sidecar() -> int:
    """SIGKILL to the process that the run file names; returns its number."""
    run = json.loads((Path(os.environ["DEMON_RUN_DIR"]) / "sidecar.json").read_text())
    os.kill(run["pid"], signal.SIGKILL)
    return run["pid"]


def resident() -> int:
    """Bytes of memory that this process has resident."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Stage:
    """Runs the steps of one job; a step acts on the plugin instance that its `instance` names, the first by default."""

    def __init__(self, job: dict[str, Any], folder: Path) -> None:
        driver = importlib.import_module("host_" + job["host"])
        self.open = lambda: driver.open_host(job)
        self.hosts = [self.open() for _ in range(job.get("instances", 1))]
        self.host = self.hosts[0]
        self.folder, self.rate = folder, job["rate"]

    def run(self, step: Step) -> dict[str, Any]:
        began = time.monotonic()
        self.host = self.hosts[step.get("instance", 0)]
        result = getattr(self, "do_" + step["do"])(step) or {}
        return {"do": step["do"], "seconds": time.monotonic() - began, **result}

    def close(self) -> None:
        for host in self.hosts:
            host.close()

    def do_parameters(self, step: Step) -> dict[str, Any]:
        return {"parameters": self.host.parameters()}

    def do_set(self, step: Step) -> None:
        for key, value in step["values"].items():
            self.host.set(key, value)

    def do_beat(self, step: Step) -> None:
        """The transport's tempo and metre from now on; only our own CLAP host lets a test choose them."""
        self.host.beat(step["tempo"], tuple(step["metre"]))

    def do_get(self, step: Step) -> dict[str, Any]:
        return {"values": {key: self.host.get(key) for key in step["keys"]}}

    def do_save(self, step: Step) -> None:
        self.host.save(str(self.folder / step["to"]))

    def do_load(self, step: Step) -> dict[str, Any]:
        try:
            self.host.load(step["from"])
        except Exception as refused:  # noqa: BLE001 (each host has its own error; the test reads its text)
            return {"refused": str(refused)}
        return {}

    def do_bounce(self, step: Step) -> dict[str, Any]:
        """One offline pass, by whichever way the host has."""
        if not hasattr(self.host, "render"):
            return self.do_play({"blocks": 512, **step, "offline": True})
        try:
            out = self.host.render(np.load(step["audio"]), [tuple(e) for e in step.get("events", [])])
        except ValueError as refused:
            if not step.get("may_refuse"):
                raise
            return {"refused": str(refused)}
        np.save(self.folder / step["out"], out)
        return {"status": STATUS[round(self.host.get("status"))]}

    def do_activate(self, step: Step) -> dict[str, Any]:
        """Activates anew; the latency that the plugin declares then."""
        return {"latency": self.host.latency}

    def do_idle(self, step: Step) -> None:
        """Blocks with the transport stopped."""
        self.host.mode(False)
        silence = np.zeros((2, 512), np.float32)
        until = time.monotonic() + step.get("wait", 0.0)
        for _ in range(step.get("blocks", 4)):
            self.host.block(silence, step.get("at", 0), False, [])
        while time.monotonic() < until:
            self.host.block(silence, step.get("at", 0), False, [])
            time.sleep(0.01)

    def do_await(self, step: Step) -> dict[str, Any]:
        """Stopped blocks until the status parameter shows one of `status`, for at most `limit` seconds."""
        self.host.mode(False)
        silence = np.zeros((2, 512), np.float32)
        until = time.monotonic() + step["limit"]
        while True:
            self.host.block(silence, step.get("at", 0), False, [])
            status = STATUS[round(self.host.get("status"))]
            if status in step["status"] or time.monotonic() > until:
                return {"status": status}
            time.sleep(0.01)

    def do_channels(self, step: Step) -> dict[str, Any]:
        """A real-time block of noise in `count` channels; how far the first two came out changed."""
        self.host.mode(False)
        noise = np.random.default_rng(1).standard_normal((step["count"], 256)).astype(np.float32)
        out = self.host.block(noise, 0, False, [])
        return {"changed": float(np.abs(out - noise)[:2].max(initial=0.0))}

    def do_vanish(self, step: Step) -> None:
        """The host process ends without a word to its plugins, as in a crash."""
        os._exit(7)

    def do_reset(self, step: Step) -> None:
        self.host.reset()

    def do_duet(self, step: Step) -> None:
        """Two instances bounce at once, block by block in turn."""
        songs = [np.load(step["first"]), np.load(step["second"])]
        outs: list[list[Audio]] = [[], []]
        for host in self.hosts:
            host.mode(True)
        position = 0
        for size in block_sizes(step["blocks"], songs[0].shape[1]):
            for host, song, out in zip(self.hosts, songs, outs, strict=True):
                out.append(host.block(np.ascontiguousarray(song[:, position : position + size]), position, True, []))
            position += size
        for k, out in enumerate(outs):
            np.save(self.folder / step["outs"][k], np.concatenate(out, axis=1))

    def do_reload(self, step: Step) -> dict[str, Any]:
        """Open, play one block, close, `times` over; what the process holds after each."""
        held = []
        for _ in range(step["times"]):
            host = self.open()
            host.mode(False)
            host.block(np.zeros((2, 512), np.float32), 0, True, [])
            time.sleep(step.get("wait", 0.0))
            host.close()
            files, tasks = (len(list(Path(folder).iterdir())) for folder in ("/proc/self/fd", "/proc/self/task"))
            held.append([files, tasks, resident()])
        return {"held": held}

    def do_play(self, step: Step) -> dict[str, Any]:
        """The transport rolls through `segments` [[from, to), ...] of the song, block by block.

        `audio` holds the song from sample `origin` on, `side` what is fed to the second input. Then it stands for
        `tail` samples of silence, which come out too. With `pace` a block starts no earlier than its wall-clock time.
        """
        song, origin = np.load(step["audio"]), step.get("origin", 0)
        side = np.load(step["side"]) if "side" in step else None
        segments = step.get("segments") or [[origin, origin + song.shape[1]]]
        events: list[Event] = [tuple(e) for e in step.get("events", [])]
        kill_at, killed = step.get("kill_at"), None
        self.host.mode(step["offline"])
        outs, log = [], []
        began, played = time.monotonic(), 0
        for start, end in segments:
            position = start
            for size in block_sizes(step["blocks"], end - start):
                if step.get("pace"):
                    time.sleep(max(0.0, began + played / self.rate - time.monotonic()))
                if kill_at is not None and played >= kill_at and killed is None:
                    killed = {"pid": kill_sidecar(), "time": time.monotonic(), "played": played}
                inside = [(at - position, key, value) for at, key, value in events if position <= at < position + size]
                block = np.ascontiguousarray(song[:, position - origin : position - origin + size])
                more = {} if side is None else {"side": np.ascontiguousarray(side[:, position : position + size])}
                outs.append(self.host.block(block, position, True, inside, **more))
                if step.get("log"):
                    log.append([time.monotonic(), played, position, STATUS[round(self.host.get("status"))]])
                position, played = position + size, played + size
        for size in block_sizes(step["blocks"], step.get("tail", 0)):
            if step.get("pace"):
                time.sleep(max(0.0, began + played / self.rate - time.monotonic()))
            outs.append(self.host.block(np.zeros((2, size), np.float32), segments[-1][1], False, []))
            played += size
        np.save(self.folder / step["out"], np.concatenate(outs, axis=1))
        status = STATUS[round(self.host.get("status"))]
        if step.get("stop", True):
            self.do_idle({"at": segments[-1][1], "blocks": 2})
        return {"status": status, "log": log, "killed": killed}


def main(path: str) -> None:
    job = json.loads(Path(path).read_text())
    stage = Stage(job, Path(path).parent)
    results = [stage.run(step) for step in job["steps"]]
    stage.close()
    (Path(path).parent / "result.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1])
