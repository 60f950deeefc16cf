"""How a CLAP plugin has to treat audio, blocks and the transport. Without a sidecar the plugin is a wire."""

import contextlib
import threading
from pathlib import Path

import numpy as np
from checks import RATE, noise, opened, writable
from hypothesis import given
from hypothesis import strategies as st

from plugin_bridge.clap_host import ClapError, ClapHost, Event, Transport


def every_block_size_and_rate_passes_the_signal(path: Path) -> None:
    rng = np.random.default_rng(7)
    for rate in (8_000, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000, 384_000):
        largest = int(rng.integers(1, 5000))
        with ClapHost(path) as host:
            try:
                host.activate(rate, largest)
            except ClapError:
                assert not 16_000 <= rate <= 384_000, rate
                continue
            audio = noise(3 * largest + 11)
            sizes = [int(n) for n in rng.integers(0, largest + 1, 40)] + [largest]
            assert np.array_equal(host.render(audio, sizes).audio, audio), (rate, largest)


def in_place_and_apart_are_the_same(path: Path) -> None:
    with opened(path) as host:
        audio = noise(2048)
        apart = host.render(audio, [512, 1, 64, 0, 511]).audio
        assert np.array_equal(host.render(audio, [512, 1, 64, 0, 511], in_place=True).audio, apart)


def nothing_is_written_beside_the_block(path: Path) -> None:
    """The host keeps a fence around every channel and raises where it is broken."""
    with opened(path) as host:
        for frames in (0, 1, 2, 3, 5, 63, 64, 511, 512):
            for in_place in (False, True):
                assert np.array_equal(host.process(noise(frames), in_place=in_place).audio, noise(frames))


def channels_that_are_missing_crash_nothing(path: Path) -> None:
    with opened(path) as host:
        audio = noise(256)
        for in_place in (False, True):
            for missing in ({0}, {1}, {0, 1}):
                host.process(audio, in_place=in_place, missing=missing)
        assert np.array_equal(host.process(audio).audio, audio)


def one_channel_many_channels_and_none_crash_nothing(path: Path) -> None:
    with opened(path) as host:
        for count in (1, 3, 6, 64, 0):
            host.process(np.repeat(noise(256)[:1], count, axis=0) if count else np.zeros((0, 256), np.float32))
        assert np.array_equal(host.process(noise(256)).audio, noise(256))


def a_block_longer_than_announced_passes_or_is_refused(path: Path) -> None:
    with opened(path, block=64) as host:
        audio = noise(4096)
        with contextlib.suppress(ClapError):
            assert np.array_equal(host.process(audio).audio, audio)
        assert np.array_equal(host.process(audio[:, :64]).audio, audio[:, :64])


def a_block_of_no_samples_is_a_flush(path: Path) -> None:
    with opened(path) as host:
        for row in writable(host):
            host.process(np.zeros((2, 0), np.float32), [Event(0, row.id, row.maximum)])
            assert host.value(row.id) == row.maximum, row


def not_a_number_and_denormals_leave_nothing_behind(path: Path) -> None:
    with opened(path) as host:
        clean = noise(512)
        for poison in (np.nan, np.inf, -np.inf, 3e38):
            host.process(np.full((2, 512), poison, np.float32), transport=Transport(0))
            for start in range(512, 4096, 512):
                assert np.array_equal(host.process(clean, transport=Transport(start)).audio, clean), poison
        tiny = np.full((2, 512), np.float32(1e-41))
        assert np.isfinite(host.process(tiny).audio).all()


def after_bypass_the_signal_is_back(path: Path) -> None:
    with opened(path) as host:
        bypass = next(row.id for row in host.parameters if row.name == "Bypass")
        audio = noise(2048)
        for value in (1.0, 0.0, 1.0, 0.0):
            host.process(audio[:, :64], [Event(32, bypass, value)])
            assert np.array_equal(host.render(audio, 512).audio, audio), value


def any_transport_is_taken(path: Path) -> None:
    with opened(path) as host:
        audio = noise(64)
        position = st.one_of(st.integers(-(10**7), 10**9), st.sampled_from([-1, 0, 1]))
        loop = st.none() | st.tuples(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
        tempo = st.one_of(st.floats(1, 999), st.sampled_from([0.0, -120.0, 1e300]))
        metre = st.none() | st.tuples(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1))  # what CLAP can write
        fields = {"playing": st.booleans(), "tempo": tempo, "metre": metre, "loop": loop, "headless": st.booleans()}
        transport = st.builds(Transport, position, **fields)

        @given(st.lists(st.none() | transport, max_size=12))
        def fuzz(transports: list) -> None:
            for each in transports:
                assert np.array_equal(host.process(audio, transport=_sane(each)).audio, audio)

        fuzz()


def _sane(transport: Transport | None) -> Transport | None:
    """Beats have to fit into CLAP's 63 bits, or the host could not write them."""
    if transport is None or all(
        abs(at * transport.tempo) < 1e15 for at in (transport.position, *(transport.loop or ()))
    ):
        return transport
    return Transport(transport.position, transport.playing)


def a_transport_without_its_header_is_a_transport(path: Path) -> None:
    with opened(path) as host:
        audio = noise(512)
        for start in range(0, 8192, 512):
            assert np.array_equal(host.process(audio, transport=Transport(start, headless=True)).audio, audio)


def offline_and_real_time_change_at_any_time(path: Path) -> None:
    audio = noise(2048)
    for first in (True, False):
        with ClapHost(path) as host:
            host.set_offline(first)
            host.activate(RATE, 512)
            for offline in (not first, first, first, not first):
                host.set_offline(offline)
                assert np.array_equal(host.render(audio, 512, transport=Transport(0)).audio, audio)
            host.deactivate()
            host.set_offline(not first)
            host.activate(RATE, 512)
            assert np.array_equal(host.render(audio, 512, transport=Transport(0)).audio, audio)


def blocks_from_one_thread_after_another_pass(path: Path) -> None:
    with opened(path) as host:
        audio, found = noise(512), []
        for start in range(0, 16 * 512, 512):

            def block(start: int = start) -> None:
                found.append(host.process(audio, transport=Transport(start)).audio)

            thread = threading.Thread(target=block)
            thread.start()
            thread.join()
        assert len(found) == 16
        assert all(np.array_equal(each, audio) for each in found)
