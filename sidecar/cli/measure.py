"""The three figures of `demon bench`: the audio thread's time, the tick's overhead, the bounce's speed."""

import os
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import plugin_bridge
from engine import Session
from engine.bench.tick import TickOverForwards, tick_over_forwards
from plugin_bridge import bundles, launch
from plugin_bridge.clap_host import ClapHost, Transport
from sidecar.bounce import bounce
from sidecar.cli.output import CommandError
from sidecar.client import Client, ClientError
from sidecar.document import Document

RATE = 48_000
BLOCK = 512
START_LIMIT_S = 90.0  # a sidecar's imports on a cold disk and two busy cores

Audio = NDArray[np.float32]


@dataclass(frozen=True)
class ProcessTimes:
    """`process()` in real time while the sidecar renders: microseconds of `blocks` blocks, and the share that was wet.

    `budget_us` is how long a block of sound lasts.
    """

    blocks: int
    p50_us: float
    p99_us: float
    max_us: float
    budget_us: float
    wet_share: float


@dataclass(frozen=True)
class BounceSpeed:
    """`seconds` of song bounced in `took_s`, model already loaded; `real_time` is their ratio."""

    seconds: float
    took_s: float
    real_time: float


def tick(session: Session) -> TickOverForwards:
    """A tick of a 16 s region, one slot in flight (the default clock), over its bare forward."""
    return tick_over_forwards(session, frames=400, depth=1, pairs=40)


def bounce_speed(session: Session, song: Audio) -> BounceSpeed:
    """The default document over a song at 48 kHz."""
    document = Document({"prompts": {"a": "house, kick, hats, saw bass", "b": "ambient, pad chords"}})
    started = time.perf_counter()
    bounce(session, song, RATE, document)
    took = time.perf_counter() - started
    seconds = song.shape[1] / RATE
    return BounceSpeed(seconds, took, seconds / took)


def process_times(song: Audio, seconds: int) -> ProcessTimes:
    """Loop `seconds` of a song three times at the clock's pace. The plugin learns in the first pass; the others count.

    Raises:
        BridgeError: the plugin is not built.
        CommandError: its sidecar did not start, or nothing wet came out.
    """
    folder = bundles.default_folder()
    if not bundles.are_built(folder):
        raise plugin_bridge.BridgeError(f"no built plugin in {folder}", "run demon plugin build")
    length = seconds * RATE
    track = np.ascontiguousarray(song[:, :length])
    with private_world() as world, ClapHost(folder / bundles.CLAP) as host:
        host.activate(RATE, BLOCK)
        wait_for_sidecar(host, world)
        _play(host, track)
        passes = [_play(host, track) for _ in range(2)]
    micro = np.concatenate([times for times, _ in passes]) / 1000
    wet = np.concatenate([heard for _, heard in passes])
    if not wet.any():
        raise CommandError("the plugin stayed dry while it was measured", f"read the logs in {world}")
    p50, p99 = np.percentile(micro, (50, 99))
    return ProcessTimes(len(micro), float(p50), float(p99), float(micro.max()), BLOCK / RATE * 1e6, float(wet.mean()))


@contextmanager
def private_world() -> Generator[Path]:
    """A run folder and a launch file of its own, named to the plugin through the environment it shares with us."""
    with tempfile.TemporaryDirectory(prefix="demon-bench-", ignore_cleanup_errors=True) as name:
        world = Path(name)
        mine = {
            "DEMON_RUN_DIR": str(world / "run"),
            "DEMON_LAUNCH_FILE": str(world / "launch.json"),
            "DEMON_SIDECAR_GRACE": "0",
        }
        before = {key: os.environ.get(key) for key in mine}
        os.environ.update(mine)
        launch.write()
        try:
            yield world
        finally:
            for key, value in before.items():
                if value is None:
                    del os.environ[key]
                else:
                    os.environ[key] = value


def wait_for_sidecar(host: ClapHost, world: Path) -> None:
    until = time.monotonic() + START_LIMIT_S
    while time.monotonic() < until:
        host.poll()
        try:
            with Client() as client:
                if client.instances():
                    return
        except ClientError:
            pass
        time.sleep(0.1)
    raise CommandError(f"the plugin's sidecar did not answer within {START_LIMIT_S:g} s", f"read the logs in {world}")


def _play(host: ClapHost, track: Audio) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """One time through the track at the clock's pace: nanoseconds of each block, and whether it differed from dry."""
    times: list[int] = []
    wet: list[bool] = []
    due = time.perf_counter()
    for start in range(0, track.shape[1] - BLOCK + 1, BLOCK):
        block = track[:, start : start + BLOCK]
        done = host.process(block, transport=Transport(start, loop=(0, track.shape[1])))
        times.append(int(done.nanoseconds[0]))
        wet.append(not np.array_equal(done.audio, block))
        due += BLOCK / RATE
        host.poll()
        time.sleep(max(due - time.perf_counter(), 0.0))
    return np.array(times), np.array(wet)
