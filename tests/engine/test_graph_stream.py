"""Nodes that go on from run to run: a stream, and the window at its playhead."""

from typing import Any

import numpy as np
import pytest
from covers import COVER, FRAMES, SECONDS, add, frames

import engine
from engine.graph import NO_OUTPUT, Graph, GraphError, Latent


def test_a_stream_that_is_drained_is_generate_bit_for_bit(graph: Graph):
    add(graph, "config", "DiffusionConfig", {}, seed=9, steps=4, denoise=0.7)
    add(graph, "once", "Generate", {**COVER, "solver": "ode", "config": "config"})
    add(graph, "stream", "StreamDenoise", {**COVER, "solver": "ode"}, seed=9, steps=4, denoise=0.7, drain=True)
    np.testing.assert_array_equal(frames(graph, "stream"), frames(graph, "once"))
    graph.set("stream", "seed", 10)
    graph.set("config", "seed", 10)
    np.testing.assert_array_equal(frames(graph, "stream"), frames(graph, "once"))


def test_a_stream_ticks_once_per_run_and_takes_changes_on_the_way(graph: Graph):
    add(graph, "config", "DiffusionConfig", {}, seed=1, steps=4, denoise=0.7)
    add(graph, "once", "Generate", {**COVER, "solver": "ode", "config": "config"})
    inputs = {**COVER, "solver": "ode"}
    add(graph, "stream", "StreamDenoise", inputs, seed=1, steps=4, denoise=0.7, pipeline_depth=2)
    add(graph, "sound", "StreamVAEDecode", {"vae": "load.vae", "latent": "stream"})
    results: list[Any] = []
    for tick in range(8):
        graph.set("stream", "seed", 1 if tick < 2 else 2)
        results.append(graph.run("stream", "sound"))
    latents = [result["stream"]["latent"] for result in results]
    # 4 steps at depth 2: admitted in ticks 0, 2, 4; finished in ticks 3, 5, 7
    assert [i for i, latent in enumerate(latents) if latent is not NO_OUTPUT] == [3, 5, 7]
    for tick, seed in ((3, 1), (5, 2)):
        graph.set("config", "seed", seed)
        np.testing.assert_array_equal(latents[tick].frames, frames(graph, "once"))
    # decoded when it is new: the third is bit for bit the second, which is still what is heard
    assert [i for i, result in enumerate(results) if result["sound"]["audio"] is not NO_OUTPUT] == [3, 5]


def test_a_stream_begins_anew_where_the_length_changes_and_only_there(graph: Graph):
    inputs = {"model": "load.model", "positive": "prompt", "solver": "ode"}
    add(graph, "stream", "StreamDenoise", inputs, steps=2, denoise=1.0, duration=SECONDS, pipeline_depth=1)
    state = lambda: graph._executor._states["stream"].body._handle  # noqa: E731
    graph.run("stream")
    first = state()
    graph.set("stream", "pipeline_depth", 2)
    graph.set("stream", "seed", 3)
    assert graph.run("stream")["stream"]["latent"].frames.shape == (FRAMES, 64)
    assert state() is first
    assert first.stats().depth == 2
    graph.set("stream", "duration", 2 * SECONDS)
    assert graph.run("stream")["stream"]["latent"] is NO_OUTPUT
    assert graph.run("stream")["stream"]["latent"].frames.shape == (2 * FRAMES, 64)


def test_a_stream_says_what_is_wrong_and_goes_on(graph: Graph):
    inputs = {"model": "load.model", "positive": "prompt", "solver": "ode"}
    add(graph, "stream", "StreamDenoise", inputs, steps=2, duration=SECONDS)
    with pytest.raises(GraphError, match=r"stream\.denoise: StreamDenoise failed: denoise = 0\.75: needs a source"):
        graph.run("stream")
    graph.set("stream", "denoise", 1.0)
    graph.run("stream")
    assert graph.run("stream")["stream"]["latent"] is not NO_OUTPUT


def window(graph: Graph, **params: Any) -> Any:
    for name, value in params.items():
        graph.set("sound", name, value)
    return graph.run("sound")["sound"]["audio"]


def test_a_windowed_decode_follows_the_playhead_and_rests_while_nothing_changes(
    graph: Graph, session: engine.Session, source: engine.Source
):
    add(graph, "sound", "StreamVAEDecode", {"vae": "load.vae"}, follow_playhead=True)
    graph.bind("sound", "latent", Latent(source.latent))
    first = window(graph)
    assert first.start == 0
    np.testing.assert_array_equal(first.samples, session.decode(source.latent, 0, 9))
    assert window(graph) is NO_OUTPUT
    moved = window(graph, playhead_seconds=1.16)  # 29 frames, which truncation would miss by one
    assert moved.start == 29 * 1920
    np.testing.assert_array_equal(moved.samples, session.decode(source.latent, 29, 9))
    graph.bind("sound", "latent", Latent(source.latent + np.float32(1e-4)))
    assert window(graph) is NO_OUTPUT
    graph.bind("sound", "latent", Latent(source.latent + np.float32(0.1)))
    assert window(graph) is not NO_OUTPUT
    assert window(graph, playhead_seconds=9.0).start == (FRAMES - 9) * 1920
    around = window(graph, cyclic=True, playhead_seconds=SECONDS + 56 / 25)
    assert around.start == 56 * 1920
    np.testing.assert_array_equal(around.samples, session.decode(source.latent + np.float32(0.1), 56, 9, cyclic=True))


def test_a_long_window_is_decoded_again_only_when_its_end_comes_near(graph: Graph, source: engine.Source):
    long = {"follow_playhead": True, "vae_window": 1.2, "prefetch_seconds": 0.4}
    add(graph, "sound", "StreamVAEDecode", {"vae": "load.vae"}, **long)
    graph.bind("sound", "latent", Latent(source.latent))
    assert window(graph) is not NO_OUTPUT
    assert window(graph, playhead_seconds=0.76) is NO_OUTPUT
    assert window(graph, playhead_seconds=0.80).start == 20 * 1920


def test_a_window_of_nothing_is_the_whole_latent(graph: Graph, source: engine.Source):
    add(graph, "sound", "StreamVAEDecode", {"vae": "load.vae"}, vae_window=0.0, t_start=0.2)
    graph.bind("sound", "latent", Latent(source.latent))
    assert window(graph).samples.shape == (2, FRAMES * 1920)
