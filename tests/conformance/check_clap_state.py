"""What a CLAP plugin's state has to survive, and its life cycle."""

import threading
from pathlib import Path

import numpy as np
from checks import BLOCK, RATE, leaves_nothing_behind, noise, opened, writable
from hypothesis import given
from hypothesis import strategies as st

from plugin_bridge.clap_host import ClapError, ClapHost, Event, Transport


def _moved(host: ClapHost, seed: int = 3) -> dict[int, float]:
    """Every parameter set to something else; what the plugin made of it."""
    rng = np.random.default_rng(seed)
    host.flush([Event(0, row.id, rng.uniform(row.minimum, row.maximum)) for row in writable(host)])
    return {row.id: host.value(row.id) for row in writable(host)}


def save_load_save_is_the_same(path: Path) -> None:
    with ClapHost(path) as host:
        values = _moved(host)
        first = host.save()
        with ClapHost(path) as other:
            assert other.load(first)
            assert {number: other.value(number) for number in values} == values
            assert other.save() == first
        _moved(host, 4)
        assert host.load(first)
        assert {number: host.value(number) for number in values} == values


def streams_of_any_piece_give_the_same(path: Path) -> None:
    with ClapHost(path) as host:
        _moved(host)
        whole = host.save(piece=1 << 30)
        for piece in (1, 2, 63, 4096):
            assert host.save(piece) == whole
            assert host.load(whole, piece)
        assert host.save() == whole


def a_stream_that_breaks_changes_nothing(path: Path) -> None:
    with ClapHost(path) as host:
        _moved(host)
        whole = host.save()
        for after in (0, 1, 8, len(whole) // 2, len(whole) - 1):
            try:
                host.save(breaks_after=after)
            except ClapError:
                pass
            else:
                raise AssertionError(f"a stream that broke after {after} bytes counted as saved")
            assert not host.load(whole, breaks_after=after)
        assert host.save() == whole


def states_that_are_not_one_are_refused_whole(path: Path) -> None:
    with ClapHost(path) as host:
        _moved(host)
        whole = host.save()
        flips = st.tuples(st.integers(0, len(whole) - 1), st.integers(1, 255))

        @given(st.one_of(st.binary(max_size=4096), st.integers(0, len(whole) - 1).map(lambda n: whole[:n])))
        def random(data: bytes) -> None:
            assert not host.load(data, 4096)
            assert host.save(4096) == whole

        @given(flips)
        def flipped(at: tuple[int, int]) -> None:
            data = bytearray(whole)
            data[at[0]] ^= at[1]
            assert not host.load(bytes(data), 4096)
            assert host.save(4096) == whole

        random()
        flipped()


def saving_and_loading_while_blocks_run(path: Path) -> None:
    with opened(path) as host:
        ended, failed, audio = threading.Event(), [], noise(BLOCK)
        before = host.save()

        def play() -> None:
            start = 0
            while not ended.is_set():
                try:
                    host.process(audio, transport=Transport(start))
                except ClapError as error:
                    failed.append(error)
                start += BLOCK

        thread = threading.Thread(target=play)
        thread.start()
        try:
            for _ in range(60):
                assert host.load(before, 4096)
                assert host.save(4096)
                host.poll()
        finally:
            ended.set()
            thread.join()
        assert not failed
        assert np.array_equal(host.process(audio).audio, audio)


def activating_again_and_resetting_keeps_values_and_sound(path: Path) -> None:
    with ClapHost(path) as host:
        gain = next(row.id for row in host.parameters if row.name == "Output Gain")
        host.flush([Event(0, gain, -6.0)])
        for rate in (44_100, 48_000, 192_000, 48_000):
            host.activate(rate, BLOCK)
            for _ in range(3):
                out = host.process(noise(BLOCK), transport=Transport(0)).audio
                host.reset()
            assert abs(host.value(gain) + 6.0) < 1e-3
            assert 0.4 < np.abs(out).max() / np.abs(noise(BLOCK)).max() < 0.6
            host.deactivate()


def a_hundred_loads_leave_nothing_behind(path: Path) -> None:
    def load() -> None:
        with opened(path) as host:
            host.process(noise(BLOCK), transport=Transport(0))

    leaves_nothing_behind(load)


def instances_share_nothing(path: Path) -> None:
    hosts = [ClapHost(path) for _ in range(8)]
    try:
        gain = next(row.id for row in hosts[0].parameters if row.name == "Output Gain")
        for index, host in enumerate(hosts):
            host.flush([Event(0, gain, -float(index))])
            host.activate(RATE, BLOCK)
        audio = noise(BLOCK)
        outs = [host.process(audio, transport=Transport(0)).audio for host in hosts]
        assert [round(host.value(gain)) for host in hosts] == [-index for index in range(8)]
        levels = [float(np.abs(out[:, -64:]).sum()) for out in outs]
        assert levels == sorted(levels, reverse=True)
        assert len(set(levels)) == 8
    finally:
        for host in hosts:
            host.deactivate()
            host.close()


def calls_from_the_wrong_thread_crash_nothing(path: Path) -> None:
    def elsewhere(call: object) -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    with ClapHost(path) as host:
        elsewhere(lambda: host.activate(RATE, BLOCK))
        elsewhere(host.save)
        elsewhere(lambda: host.parameters)
        elsewhere(lambda: host.set_offline(True))
        elsewhere(host.reset)
        assert np.array_equal(host.process(noise(BLOCK)).audio, noise(BLOCK))
        elsewhere(host.deactivate)


def destroyed_while_active_it_goes_quietly(path: Path) -> None:
    for _ in range(5):
        host = ClapHost(path)
        host.activate(RATE, BLOCK)
        host.process(noise(BLOCK), transport=Transport(0))
        host.close()
