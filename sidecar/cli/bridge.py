"""The figures of `demon bench bridge`: what the plugin costs a host, how late a lane is heard, whether it keeps pace.

Everything is seen from the host's side: what `process()` took, and what it gave back.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from plugin_bridge import bundles
from plugin_bridge.build import build_empty
from plugin_bridge.clap_host import ClapHost, Event, Transport
from sidecar.cli.measure import BLOCK, RATE, private_world, wait_for_sidecar
from sidecar.cli.output import CommandError
from sidecar.client import Client
from sidecar.parameters import TABLE

Audio = NDArray[np.float32]

CROWD = 16
LOOP_S = 8  # long enough for the longest lag of the default clock (docs/latency.md) behind the step
FROM, TO = 0.3, 0.9  # of Denoise
WARM = 0.2  # share of the bounce after which memory has to be flat
BLOCK_US = BLOCK / RATE * 1e6


@dataclass(frozen=True)
class Cost:
    """`process()` live, 512 frames, DEMON and an empty plugin block by block in turn: microseconds at p50 and p99.9.

    `added` is the paired difference; `added_share` that in percent of the block's time.
    """

    blocks: int
    demon_us: tuple[float, float]
    empty_us: tuple[float, float]
    added_us: tuple[float, float]
    added_share: tuple[float, float]


@dataclass(frozen=True)
class Roll:
    """A live roll: blocks heard dry after the first wet one of their pass, and blocks while the plugin said Late."""

    minutes: float
    tick_frames: int
    wet_blocks: int
    dry_blocks: int
    late_blocks: int
    lag_samples: int | None
    lag_ticks: float | None
    lag_ms: float | None


@dataclass(frozen=True)
class Crowd:
    """Instances on one sidecar. Live: rounds in which all `process()` calls together took longer than a block.

    Offline, all at once: the bounce of the slowest when the first was done, in percent (100: a fair share), and blocks
    that came back dry.
    """

    instances: int
    rounds: int
    overruns: int
    round_us: tuple[float, float]
    dropped: int
    slowest_share: float


@dataclass(frozen=True)
class Memory:
    """The sidecar's resident memory during a bounce, MiB: once it is warm, at the end, and its largest."""

    seconds: float
    took_s: float
    warm_mib: float
    end_mib: float
    most_mib: float


@dataclass(frozen=True)
class Bridge:
    """All of it, from one run."""

    cost: Cost
    roll: Roll
    crowd: Crowd
    memory: Memory


def measure(song: Audio, *, minutes: float, bounce_s: float, tick_frames: int, say: Callable[[str], None]) -> Bridge:
    """Measure with the built plugin and a sidecar of its own.

    Args:
        song: (2, samples) at 48 kHz, at least 8 s.
        minutes: length of the live roll; at least three loops of 8 s are played.
        bounce_s: length of the bounce whose memory is watched.
        tick_frames: the clock's rate, in frames.
        say: told what begins.

    Raises:
        BridgeError: the plugin is not built, or the empty one cannot be.
        CommandError: the sidecar did not start, or nothing wet came out.
    """
    plugin = bundles.default_folder() / bundles.CLAP
    if not plugin.is_file():
        raise CommandError(f"no built plugin in {plugin.parent}", "run demon plugin build")
    say("building the empty plugin")
    empty = build_empty()
    loop = np.ascontiguousarray(song[:, : LOOP_S * RATE])
    with private_world() as world:
        say(f"playing live for {max(minutes * 60, 3 * LOOP_S):g} s")
        with ClapHost(plugin) as host, ClapHost(empty) as yardstick:
            host.activate(RATE, BLOCK)
            yardstick.activate(RATE, BLOCK)
            wait_for_sidecar(host, world)
            pid = _choose_clock(tick_frames)
            _bounce(host, loop)  # teaches
            cost, roll = _roll(host, yardstick, loop, minutes, tick_frames)
            if not roll.wet_blocks:
                raise CommandError("the plugin stayed dry while it was measured", f"read the logs in {world}")
            say(f"bouncing {bounce_s:g} s")
            memory = _memory(host, song, bounce_s, pid)
            say(f"{CROWD} instances")
            crowd = _crowd(plugin, loop[:, : 2 * RATE])
    return Bridge(cost, roll, crowd, memory)


def table(where: str, found: Bridge) -> str:
    """The figures as a Markdown table, under the line `where`."""
    cost, roll, crowd, memory = found.cost, found.roll, found.crowd, found.memory
    heard = "never heard"
    if roll.lag_samples is not None:
        heard = f"{roll.lag_ticks:.1f} ticks, {roll.lag_ms:.0f} ms"
    rows = [
        ("`process()` live, 512 frames, p50 / p99.9", f"{cost.demon_us[0]:.0f} / {cost.demon_us[1]:.0f} µs"),
        ("the same of an empty plugin", f"{cost.empty_us[0]:.0f} / {cost.empty_us[1]:.0f} µs"),
        ("added, share of a block's time", f"{cost.added_share[0]:.2f} / {cost.added_share[1]:.2f} %"),
        ("a lane's step to its first sample, live", heard),
        (f"live roll of {roll.minutes:.1f} min, tick {roll.tick_frames}: blocks that came late", f"{roll.dry_blocks}"),
        ("of these blocks were wet / the plugin said Late", f"{roll.wet_blocks} / {roll.late_blocks}"),
        (f"{crowd.instances} instances at once offline: dry blocks", f"{crowd.dropped}"),
        ("the slowest of them when the first was done", f"{crowd.slowest_share:.0f} %"),
        ("all of them in one block's time, live, p50 / p99.9", f"{crowd.round_us[0]:.0f} / {crowd.round_us[1]:.0f} µs"),
        ("rounds that took longer than a block", f"{crowd.overruns} of {crowd.rounds}"),
        (
            f"bounce of {memory.seconds:g} s: sidecar's memory warm / end / most",
            f"{memory.warm_mib:.0f} / {memory.end_mib:.0f} / {memory.most_mib:.0f} MiB",
        ),
    ]
    body = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"{where}\n\n| figure | value |\n|---|---|\n{body}"


def _choose_clock(tick_frames: int) -> int:
    """Set it in every instance; the sidecar's process number."""
    with Client() as client:
        for entry in client.instances():
            client.set_state(entry.instance, {"clock": {"tick_frames": tick_frames}})
        return client.welcome.pid


def _bounce(host: ClapHost, audio: Audio, done: Callable[[int], None] | None = None) -> Audio:
    host.set_offline(True)
    outs: list[Audio] = []
    for start in range(0, audio.shape[1] - BLOCK + 1, BLOCK):
        outs.append(host.process(audio[:, start : start + BLOCK], transport=Transport(start)).audio)
        if done is not None:
            done(start + BLOCK)
    host.process(np.zeros((2, BLOCK), np.float32), transport=Transport(audio.shape[1], playing=False))
    return np.concatenate(outs, axis=1)


@dataclass
class _Heard:
    """What a live roll gave, block by block."""

    demon: list[int]
    empty: list[int]
    audio: list[Audio]
    late: list[bool]


def _roll(host: ClapHost, yardstick: ClapHost, loop: Audio, minutes: float, tick_frames: int) -> tuple[Cost, Roll]:
    host.set_offline(False)
    loops = max(3, round(minutes * 60 / LOOP_S))
    denoise = TABLE["denoise"].id
    step = LOOP_S * RATE // 3 // BLOCK * BLOCK
    host.process(np.zeros((2, BLOCK), np.float32), [Event(0, denoise, FROM)], Transport(0, playing=False))
    heard = _Heard([], [], [], [])
    rounds: list[Audio] = []
    wets = dries = 0
    for index in range(loops):
        heard.audio.clear()
        _live(host, yardstick, loop, heard, step if index == loops - 1 else None)
        rounds = [*rounds[-1:], np.concatenate(heard.audio, axis=1)]
        wet = _wet(rounds[-1], loop)
        first = int(np.argmax(wet)) if wet.any() else len(wet)
        wets += int(wet.sum())
        dries += int((~wet[first:]).sum())
    lag = _lag(rounds, loop, step)
    frame = RATE // 25
    roll = Roll(
        minutes=loops * LOOP_S / 60,
        tick_frames=tick_frames,
        wet_blocks=wets,
        dry_blocks=dries,
        late_blocks=sum(heard.late),
        lag_samples=lag,
        lag_ticks=None if lag is None else lag / frame / tick_frames,
        lag_ms=None if lag is None else lag / RATE * 1000,
    )
    return _cost(heard), roll


def _live(host: ClapHost, yardstick: ClapHost, loop: Audio, heard: _Heard, step: int | None) -> None:
    """Once around at the clock's pace, both plugins with the same blocks in turn."""
    denoise, status = TABLE["denoise"].id, TABLE["status"]
    late = status.choices.index("Late")
    due = time.perf_counter()
    for start in range(0, loop.shape[1] - BLOCK + 1, BLOCK):
        block, song = loop[:, start : start + BLOCK], Transport(start, loop=(0, loop.shape[1]))
        events = [Event(0, denoise, TO if start == step else FROM)] if start in (0, step) else []
        first = host.process(block, events, song)
        heard.empty.append(int(yardstick.process(block, events, song).nanoseconds[0]))
        heard.demon.append(int(first.nanoseconds[0]))
        heard.audio.append(first.audio)
        heard.late.append(round(host.value(status.id)) == late)
        host.poll()
        due += BLOCK / RATE
        time.sleep(max(due - time.perf_counter(), 0.0))


def _wet(out: Audio, dry: Audio) -> NDArray[np.bool_]:
    """Per block, whether it differs from the input."""
    count = out.shape[1] // BLOCK
    changed = (out[:, : count * BLOCK] != dry[:, : count * BLOCK]).any(axis=0)
    return changed.reshape(count, BLOCK).any(axis=1)


def _lag(rounds: list[Audio], loop: Audio, step: int) -> int | None:
    """Samples from a lane's step to the first sample that it changed, of two rounds that are alike before it.

    Only blocks that are wet in both count: one that came too late is heard dry and says nothing. None when the step
    was never heard.
    """
    before, after = rounds[-2], rounds[-1]
    wet = np.repeat(_wet(before, loop) & _wet(after, loop), BLOCK)
    size = len(wet)
    changed = np.flatnonzero((before[:, :size] != after[:, :size]).any(axis=0) & wet & (np.arange(size) >= step))
    return int(changed[0]) - step if len(changed) else None


def _percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(values, (50, 99.9))
    return float(low), float(high)


def _cost(heard: _Heard) -> Cost:
    demon, empty = np.array(heard.demon) / 1000, np.array(heard.empty) / 1000
    added = _percentiles(demon - empty)
    share = (added[0] / BLOCK_US * 100, added[1] / BLOCK_US * 100)
    return Cost(len(demon), _percentiles(demon), _percentiles(empty), added, share)


def _memory(host: ClapHost, song: Audio, seconds: float, pid: int) -> Memory:
    length = round(seconds * RATE)
    audio = np.ascontiguousarray(np.tile(song, -(-length // song.shape[1]))[:, :length])
    process = psutil.Process(pid)
    samples: list[float] = []

    def progress(position: int) -> None:
        if position * 100 // length > len(samples):
            samples.append(process.memory_info().rss / 2**20)

    _bounce(host, audio)  # teaches: this song is longer than the one before
    began = time.perf_counter()
    _bounce(host, audio, progress)
    took = time.perf_counter() - began
    return Memory(seconds, took, samples[int(len(samples) * WARM)], samples[-1], max(samples))


def _crowd(plugin: Path, song: Audio) -> Crowd:
    hosts = [ClapHost(plugin) for _ in range(CROWD)]
    try:
        for host in hosts:
            host.activate(RATE, BLOCK)
            host.poll()
        _wait_for(len(hosts))
        for host in hosts:
            _bounce(host, song)  # teaches
        dropped, share = _together(hosts, song)
        overruns, micro = _rounds(hosts, song)
    finally:
        for host in hosts:
            host.deactivate()
            host.close()
    return Crowd(CROWD, len(micro), overruns, _percentiles(micro), dropped, share)


def _wait_for(count: int) -> None:
    until = time.monotonic() + 60
    with Client() as client:
        while len(client.instances()) < count:
            if time.monotonic() > until:
                raise CommandError(f"fewer than {count} instances connected in 60 s", "read sidecar.log")
            time.sleep(0.1)


def _together(hosts: list[ClapHost], song: Audio) -> tuple[int, float]:
    """Bounce in all of them at once; dry blocks, and how far the slowest was when the first was done, in percent."""
    place, outs, at_first = [0] * len(hosts), [song] * len(hosts), [0]
    total = song.shape[1] // BLOCK * BLOCK

    def one(index: int) -> None:
        def done(position: int) -> None:
            place[index] = position
            if position == total and not at_first[0]:
                at_first[0] = min(place)

        outs[index] = _bounce(hosts[index], song, done)

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(hosts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(int((~_wet(out, song)).sum()) for out in outs), at_first[0] / total * 100


def _rounds(hosts: list[ClapHost], song: Audio) -> tuple[int, NDArray[np.float64]]:
    """Play all of them live, one after the other in each block's time; rounds that took longer, and all times (µs)."""
    for host in hosts:
        host.set_offline(False)
    took: list[float] = []
    due = time.perf_counter()
    for start in range(0, song.shape[1] - BLOCK + 1, BLOCK):
        block = song[:, start : start + BLOCK]
        took.append(sum(float(host.process(block, transport=Transport(start)).nanoseconds[0]) for host in hosts) / 1000)
        due += BLOCK / RATE
        time.sleep(max(due - time.perf_counter(), 0.0))
    return sum(each > BLOCK_US for each in took), np.array(took)
