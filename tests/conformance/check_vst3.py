"""The same questions to the VST3, through hosts that nobody here wrote. Without a sidecar the plugin is a wire."""

import contextlib
import threading
from pathlib import Path

import dawdreamer
import minihost
import numpy as np
import pedalboard
from checks import BLOCK, RATE, leaves_nothing_behind, noise
from hypothesis import given
from hypothesis import strategies as st


def _open(path: Path, rate: int = RATE, block: int = BLOCK) -> minihost.Plugin:
    return minihost.Plugin(str(path), sample_rate=rate, max_block_size=block)


def _rows(plugin: minihost.Plugin) -> list[int]:
    """The parameters that a host may write: all but the one that shows a status, and JUCE's own."""
    infos = [plugin.get_param_info(index) for index in range(plugin.num_params)]
    return [index for index, info in enumerate(infos) if info["name"] not in ("Status", "Bypass", "Reset Transport")]


def _wire(plugin: minihost.Plugin, audio: np.ndarray) -> None:
    out = np.zeros_like(audio)
    plugin.process(audio, out)
    assert np.array_equal(out, audio)


def values_and_texts_of_every_parameter_go_round(path: Path) -> None:
    plugin = _open(path)
    for index in _rows(plugin):
        for value in np.linspace(0, 1, 17):
            plugin.set_param(index, float(value))
            found = plugin.get_param(index)
            assert 0 <= found <= 1
            text = plugin.param_to_text(index, found)
            assert text, index
            assert plugin.param_to_text(index, plugin.param_from_text(index, text)) == text, (index, text)


def any_value_between_any_blocks_crashes_nothing(path: Path) -> None:
    plugin = _open(path)
    rows = _rows(plugin)
    audio = noise(64)
    change = st.tuples(st.sampled_from(rows), st.floats(0, 1), st.integers(0, 63))

    @given(st.lists(change, max_size=40))
    def fuzz(changes: list) -> None:
        out = np.zeros_like(audio)
        plugin.process_auto(audio, out, [], [(at, index, value) for index, value, at in sorted(changes, key=_time)])
        assert np.isfinite(out).all()
        assert all(0 <= plugin.get_param(index) <= 1 for index in rows)

    fuzz()


def _time(change: tuple) -> int:
    return change[2]


def save_load_save_is_the_same(path: Path) -> None:
    plugin, rng = _open(path), np.random.default_rng(3)
    for index in _rows(plugin):
        plugin.set_param(index, float(rng.uniform()))
    plugin.process(noise(BLOCK), np.zeros((2, BLOCK), np.float32))
    first, texts = plugin.get_state(), _texts(plugin)
    other = _open(path)
    assert _texts(other) != texts
    other.set_state(first)
    assert _texts(other) == texts
    assert other.get_state() == first


def _texts(plugin: minihost.Plugin) -> list[str]:
    return [plugin.param_to_text(index, plugin.get_param(index)) for index in _rows(plugin)]


def states_that_are_not_one_change_nothing(path: Path) -> None:
    plugin = _open(path)
    whole = plugin.get_state()
    junk = st.one_of(st.binary(max_size=4096), st.integers(0, len(whole) // 2).map(lambda n: whole[:n]))

    @given(junk)
    def fuzz(data: bytes) -> None:
        with contextlib.suppress(ValueError, RuntimeError):
            plugin.set_state(data)
        assert plugin.get_state() == whole

    fuzz()


def every_block_size_and_rate_passes_the_signal(path: Path) -> None:
    rng = np.random.default_rng(7)
    for rate in (16_000, 44_100, 48_000, 96_000, 192_000):
        plugin = _open(path, rate, 2048)
        for frames in [*rng.integers(1, 2049, 40), 1, 2048]:
            _wire(plugin, noise(int(frames)))


def rates_change_and_modes_change_in_any_order(path: Path) -> None:
    plugin = _open(path)
    for rate, offline in ((44_100, True), (48_000, False), (96_000, False), (44_100, True), (48_000, True)):
        plugin.non_realtime = offline
        plugin.sample_rate = rate
        _wire(plugin, noise(BLOCK))
        plugin.non_realtime = not offline
        plugin.reset()
        _wire(plugin, noise(BLOCK))


def any_transport_is_taken(path: Path) -> None:
    plugin, audio = _open(path), noise(64)
    position = st.integers(-(10**7), 10**9)

    @given(st.lists(st.tuples(position, st.booleans(), st.floats(1, 999)), max_size=12))
    def fuzz(transports: list) -> None:
        for at, playing, bpm in transports:
            plugin.set_transport(bpm=bpm, position_samples=at, position_beats=at * bpm / 60 / RATE, is_playing=playing)
            _wire(plugin, audio)
        plugin.clear_transport()
        _wire(plugin, audio)

    fuzz()


def not_a_number_leaves_nothing_behind(path: Path) -> None:
    plugin = _open(path)
    for poison in (np.nan, np.inf, -np.inf, 3e38, 1e-41):
        plugin.process(np.full((2, BLOCK), np.float32(poison)), np.zeros((2, BLOCK), np.float32))
        _wire(plugin, noise(BLOCK))


def saving_on_another_thread_while_blocks_run(path: Path) -> None:
    plugin, ended = _open(path), threading.Event()
    state = plugin.get_state()

    def play() -> None:
        out = np.zeros((2, BLOCK), np.float32)
        while not ended.is_set():
            plugin.process(noise(BLOCK), out)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        for _ in range(60):
            plugin.set_state(state)
            assert plugin.get_state()
    finally:
        ended.set()
        thread.join()
    _wire(plugin, noise(BLOCK))


def a_hundred_loads_leave_nothing_behind(path: Path) -> None:
    def load() -> None:
        plugin = _open(path)
        _wire(plugin, noise(BLOCK))
        plugin.close()

    leaves_nothing_behind(load)


def after_bypass_the_signal_is_back(path: Path) -> None:
    plugin = _open(path)
    for value in (True, False, True, False):
        plugin.bypass = value
        for _ in range(4):
            plugin.process(noise(BLOCK), np.zeros((2, BLOCK), np.float32))
        _wire(plugin, noise(BLOCK))


def three_hosts_in_one_process_share_nothing(path: Path) -> None:
    mini = _open(path)
    board = pedalboard.VST3Plugin(str(path))
    engine = dawdreamer.RenderEngine(RATE, BLOCK)
    player = engine.make_playback_processor("in", noise(RATE))
    daw = engine.make_plugin_processor("fx", str(path))
    engine.load_graph([(player, []), (daw, ["in"])])
    gain = next(i for i in range(mini.num_params) if mini.get_param_info(i)["name"] == "Output Gain")
    mini.set_param(gain, 0.25)
    mini.process(noise(BLOCK), np.zeros((2, BLOCK), np.float32))
    engine.render(0.5)
    assert np.array_equal(engine.get_audio()[:, : RATE // 2], noise(RATE)[:, : RATE // 2])
    assert np.array_equal(board.process(noise(BLOCK), RATE, buffer_size=BLOCK), noise(BLOCK))
    out = np.zeros((2, BLOCK), np.float32)
    mini.process(noise(BLOCK), out)
    assert np.abs(out).max() < 0.5 * np.abs(noise(BLOCK)).max()
