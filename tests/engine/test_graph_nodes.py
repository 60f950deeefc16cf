"""The operations as nodes: the same bytes as the session's, and no trace left on it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lora_files import STYLES, factors
from safetensors.numpy import save_file

import engine
from engine.analysis.info import audio_info
from engine.graph import NO_OUTPUT, NODES, Audio, Graph, GraphError, Latent, Model, loads
from engine.request.dcw import Dcw

CATALOGUE = [
    "LoadModel", "AudioInfo", "VAEEncodeAudio", "VAEDecodeAudio", "StreamVAEDecode", "EmptyLatent", "LatentBlend",
    "SemanticExtract", "EncodeText", "EncodeConditioning", "ConditioningZeroOut", "ConditioningAverage",
    "ConditioningBlend", "ConditioningCombine", "CurveConstant", "CurveRamp", "CurveWave", "CurveMath",
    "TemporalMask", "SetLatentNoiseMask", "InvertMask", "DiffusionConfig", "OdeSolver", "SdeSolver", "DCWConfig",
    "Modulation", "StreamDenoise", "Generate", "LatentChannelScale", "ChannelGuidance", "RemoveChannelGuidance",
    "LoRA",
]  # fmt: skip
EXAMPLES = Path(__file__).parents[2] / "examples" / "graphs"
FRAMES = 60
SECONDS = FRAMES / 25


def test_the_catalogue_is_complete_and_what_is_ours_is_marked():
    assert len(CATALOGUE) == 32
    assert {definition.name for definition in NODES if not definition.own} == set(CATALOGUE)
    assert {definition.name for definition in NODES if definition.own} == {"AudioInput", "AudioOutput"}


@pytest.fixture
def graph(session: engine.Session, audio: np.ndarray):
    """A source and a prompt, ready for what generates from them."""
    with Graph() as made:
        made.add("song", "AudioInput")
        made.add("load", "LoadModel")
        made.add("source", "VAEEncodeAudio")
        made.add("hints", "SemanticExtract")
        made.add("text", "EncodeText", tags="techno, driving kick", duration=SECONDS, bpm=128, key="")
        made.add("prompt", "EncodeConditioning")
        made.add("ode", "OdeSolver")
        for source, target in (
            ("song", "source.audio"), ("load.vae", "source.vae"), ("load.model", "hints.model"),
            ("source", "hints.latent"), ("load.clip", "text.clip"), ("load.model", "prompt.model"),
            ("text", "prompt.text_embed"),
        ):  # fmt: skip
            made.connect(source, target)
        made.bind("song", "audio", Audio(audio))
        made.bind("load", "model", Model(session))
        yield made


def add(graph: Graph, name: str, kind: str, inputs: dict[str, str], **params: Any) -> str:
    graph.add(name, kind, **params)
    for port, source in inputs.items():
        graph.connect(source, f"{name}.{port}")
    return name


COVER = {"model": "load.model", "positive": "prompt", "context_latent": "hints", "source_latent": "source"}


def frames(graph: Graph, node: str) -> np.ndarray:
    return graph.run(node)[node]["latent"].frames


def asked(session: engine.Session, source: engine.Source, **changes: Any) -> engine.Request:
    prompt = session.encode_text("techno, driving kick", duration=SECONDS, task="cover", bpm=128, time_signature="4")
    base = {"conditioning": prompt, "source": source, "frames": FRAMES, "seed": 9, "denoise": 0.7, "steps": 4}
    return engine.Request(**{**base, **changes})


def generated(session: engine.Session, source: engine.Source, **changes: Any) -> np.ndarray:
    return session.generate(asked(session, source, **changes))


def test_a_graphs_cover_is_the_sessions_bit_for_bit(graph: Graph, session: engine.Session, source: engine.Source):
    add(graph, "config", "DiffusionConfig", {}, seed=9, steps=4, denoise=0.7)
    add(graph, "cover", "Generate", {**COVER, "solver": "ode", "config": "config"})
    add(graph, "sound", "VAEDecodeAudio", {"vae": "load.vae", "latent": "cover"})
    result = graph.run("cover", "sound", "source", "hints")
    np.testing.assert_array_equal(result["source"]["latent"].frames, source.latent)
    np.testing.assert_array_equal(result["hints"]["latent"].frames, source.hints)
    latent = generated(session, source)
    np.testing.assert_array_equal(result["cover"]["latent"].frames, latent)
    np.testing.assert_array_equal(result["sound"]["audio"].samples, session.decode_all(latent))


def test_every_control_reaches_the_request(graph: Graph, session: engine.Session, source: engine.Source):
    add(graph, "ramp", "CurveRamp", {}, start=0.5, end=1.0, length=FRAMES)
    add(graph, "high", "CurveConstant", {}, value=2.0, length=FRAMES)
    add(graph, "sde", "SdeSolver", {"sde_denoise_curve": "ramp"})
    add(graph, "dcw", "DCWConfig", {}, mode="low", scaler=0.1, wavelet="db2", soft_thresh=0.01)
    add(graph, "zero", "ConditioningZeroOut", {"conditioning": "prompt"})
    add(
        graph,
        "motion",
        "Modulation",
        {
            "velocity_scale": "ramp",
            "initial_noise_curve": "ramp",
            "chunk_mask": "ramp",
            "guidance_curve": "high",
            "x0_target": "hints",
            "x0_target_curve": "ramp",
        },
        x0_target_gate=0.5,
    )
    add(graph, "louder", "ChannelGuidance", {"model": "load.model"}, channel_end=7, scale=1.5)
    add(graph, "config", "DiffusionConfig", {}, seed=9, steps=4, denoise=0.7, shift=2.0)
    inputs = {**COVER, "solver": "sde", "config": "config", "dcw": "dcw", "modulation": "motion", "negative": "zero"}
    add(graph, "cover", "Generate", {**inputs, "model": "louder.model"}, guidance_mode="initialize", cfg_rescale=0.3)
    ramp, prompt = np.linspace(0.5, 1.0, FRAMES, dtype=np.float32), asked(session, source).conditioning
    gain = np.ones(64, np.float32)
    gain[:8] = 1.5
    wanted = generated(
        session, source, shift=2.0, solver="sde", sde_denoise=ramp, velocity_scale=ramp, initial_noise=ramp,
        chunk_mask=ramp, guidance=2.0, x0_target=source.hints, x0_curve=ramp, x0_gate=0.5, channel_gain=gain,
        dcw=Dcw(mode="low", scaler=0.1, wavelet="db2", soft_thresh=0.01), guidance_mode="initialize", cfg_rescale=0.3,
        negative=engine.Conditioning(states=np.zeros_like(prompt.states), mask=prompt.mask),
    )  # fmt: skip
    np.testing.assert_array_equal(frames(graph, "cover"), wanted)


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


def test_gains_and_loras_are_values_and_leave_no_trace_on_the_session(
    graph: Graph, session: engine.Session, source: engine.Source
):
    add(graph, "config", "DiffusionConfig", {}, seed=9, steps=2, denoise=0.7)
    add(graph, "low", "ChannelGuidance", {"model": "load.model"}, channel_end=15, scale=2.0)
    add(graph, "both", "ChannelGuidance", {"model": "low"}, channel_start=8, channel_end=23, scale=0.5)
    add(graph, "none", "RemoveChannelGuidance", {"model": "both"})
    add(graph, "lora", "LoRA", {"model": "both"}, lora="warm", strength=0.5)
    add(graph, "again", "LoRA", {"model": "lora"}, lora="warm", strength=0.25)
    add(graph, "nothing", "LoRA", {"model": "lora"})
    models = {name: outputs["model"] for name, outputs in graph.run("load", "both", "none", "again", "nothing").items()}
    gain = models["both"].channel_gain
    assert (gain[:8] == 2.0).all()
    assert (gain[8:16] == 1.0).all()  # gains that meet multiply
    assert (gain[16:24] == 0.5).all()
    assert models["none"].channel_gain is None
    assert models["load"].channel_gain is None
    assert models["again"].loras == {"warm": 0.25}
    assert models["nothing"].loras == {"warm": 0.5}
    assert models["load"].loras == {}
    plain = add(graph, "plain", "Generate", {**COVER, "solver": "ode", "config": "config"})
    gained = add(graph, "gained", "Generate", {**COVER, "model": "both", "solver": "ode", "config": "config"})
    first = frames(graph, plain)
    assert not np.array_equal(frames(graph, gained), first)
    np.testing.assert_array_equal(first, generated(session, source, steps=2))


def test_a_correction_that_is_switched_off_is_bit_exactly_absent(graph: Graph):
    add(graph, "config", "DiffusionConfig", {}, seed=9, steps=2, denoise=0.7)
    add(graph, "off", "DCWConfig", {}, enabled=False, wavelet="db4", mult_blend=0.5)
    plain = add(graph, "plain", "Generate", {**COVER, "solver": "ode", "config": "config"})
    without = add(graph, "without", "Generate", {**COVER, "solver": "ode", "config": "config", "dcw": "off"})
    np.testing.assert_array_equal(frames(graph, without), frames(graph, plain))


def test_a_lora_of_the_folder_acts_as_in_a_request_and_only_there(tmp_path: Path, source: engine.Source):
    save_file(STYLES["peft"](factors(size=0.5)), tmp_path / "warm.safetensors")
    with Graph() as graph:
        add(graph, "load", "LoadModel", {}, loras=str(tmp_path))
        add(graph, "lora", "LoRA", {"model": "load.model"}, lora="warm", strength=0.5)
        prompt = {"tags": "techno, driving kick", "duration": SECONDS, "bpm": 128, "key": ""}
        add(graph, "text", "EncodeText", {"clip": "load.clip"}, **prompt)
        add(graph, "prompt", "EncodeConditioning", {"model": "load.model", "text_embed": "text"})
        add(graph, "ode", "OdeSolver", {})
        add(graph, "config", "DiffusionConfig", {}, seed=9, steps=2)
        common = {"solver": "ode", "config": "config", "positive": "prompt"}
        add(graph, "with", "Generate", {**common, "model": "lora"}, duration=SECONDS)
        add(graph, "without", "Generate", {**common, "model": "load.model"}, duration=SECONDS)
        session = graph.run("load")["load"]["model"].session
        session.loras.enable("warm", 1.0)
        request = replace(asked(session, source, steps=2), source=None, denoise=1.0)
        for node, loras in (("with", {"warm": 0.5}), ("without", {})):
            wanted = session.generate(replace(request, loras=loras))
            np.testing.assert_array_equal(frames(graph, node), wanted)
        assert not np.array_equal(frames(graph, "with"), frames(graph, "without"))
        graph.set("lora", "lora", "cold")
        with pytest.raises(GraphError, match=r"with.*: Generate failed: .*cold"):
            graph.run("with")


def test_masked_frames_come_back_as_they_were(graph: Graph, source: engine.Source):
    add(graph, "keep", "CurveRamp", {}, start=-50.0, end=50.0)
    add(graph, "mask", "TemporalMask", {"latent": "source", "curve": "keep"})
    add(graph, "other", "InvertMask", {"mask": "mask"})
    add(graph, "config", "DiffusionConfig", {}, steps=2)
    for name, mask, kept in (("second", "mask", slice(0, 29)), ("first", "other", slice(31, 60))):
        add(graph, f"masked_{name}", "SetLatentNoiseMask", {"latent": "source", "mask": mask})
        inputs = {**COVER, "source_latent": f"masked_{name}", "solver": "ode", "config": "config"}
        latent = frames(graph, add(graph, name, "Generate", inputs))
        np.testing.assert_array_equal(latent[kept], source.latent[kept])
        assert (latent != source.latent).any()


def test_latents_are_blended_scaled_and_emptied_as_the_session_does(
    graph: Graph, session: engine.Session, source: engine.Source
):
    add(graph, "empty", "EmptyLatent", {"model": "load.model"}, duration=SECONDS)
    add(graph, "ramp", "CurveRamp", {})
    add(graph, "half", "LatentBlend", {"latent_a": "source", "latent_b": "empty"}, alpha=0.25)
    add(graph, "drawn", "LatentBlend", {"latent_a": "source", "latent_b": "empty", "blend_curve": "ramp"})
    add(graph, "scaled", "LatentChannelScale", {"latent": "source"}, channel_start=3, channel_end=4, scale=2.0)
    silence = session.empty_latent(FRAMES)
    np.testing.assert_array_equal(frames(graph, "empty"), silence)
    np.testing.assert_array_equal(frames(graph, "half"), engine.blend_latents(source.latent, silence, 0.25))
    np.testing.assert_array_equal(frames(graph, "drawn")[0], source.latent[0])
    np.testing.assert_array_equal(frames(graph, "drawn")[-1], silence[-1])
    expected = source.latent.copy()
    expected[:, 3:5] *= 2.0
    np.testing.assert_array_equal(frames(graph, "scaled"), expected)


def test_prompts_are_mixed_and_combined_as_the_session_does(graph: Graph, session: engine.Session):
    add(graph, "other", "EncodeText", {"clip": "load.clip"}, tags="ambient pad", duration=SECONDS, key="A minor")
    add(graph, "b", "EncodeConditioning", {"model": "load.model", "text_embed": "other", "timbre_ref": "source"})
    pair = {"conditioning_a": "prompt", "conditioning_b": "b"}
    add(graph, "blend", "ConditioningBlend", pair, alpha=0.25)
    add(graph, "average", "ConditioningAverage", pair, weight=0.25)
    add(graph, "ramp", "CurveRamp", {}, length=FRAMES)
    add(graph, "both", "ConditioningCombine", {**pair, "temporal_weight_b": "ramp"}, step_range_start_b=0.5)
    add(graph, "three", "ConditioningCombine", {"conditioning_a": "both", "conditioning_b": "blend"})
    results = graph.run("prompt", "b", "blend", "average", "both", "three")
    found = {name: outputs["conditioning"].entries for name, outputs in results.items()}
    a, b = found["prompt"][0].conditioning, found["b"][0].conditioning
    source = graph.run("source")["source"]["latent"].frames
    wanted_b = session.encode_text(
        "ambient pad", duration=SECONDS, bpm=120, key="A minor", time_signature="4", timbre=source
    )
    np.testing.assert_array_equal(b.states, wanted_b.states)
    for name, mix in (("blend", engine.blend_conditionings), ("average", engine.average_conditionings)):
        np.testing.assert_array_equal(found[name][0].conditioning.states, mix(a, b, 0.25).states)
    first, second = found["both"]
    np.testing.assert_array_equal(second.weight, np.linspace(0, 1, FRAMES, dtype=np.float32))
    np.testing.assert_array_equal(first.weight, np.float32(1.0) - second.weight)
    assert (first.steps, second.steps) == ((0.0, 1.0), (0.5, 1.0))
    three = found["three"]
    assert [entry.steps for entry in three] == [(0.0, 1.0), (0.5, 1.0), (0.0, 1.0)]
    np.testing.assert_array_equal(three[1].weight, second.weight * np.float32(0.5))
    add(graph, "config", "DiffusionConfig", {}, seed=9, steps=2, denoise=0.7)
    add(graph, "cover", "Generate", {**COVER, "positive": "both", "solver": "ode", "config": "config"})
    request = asked(
        session, session.prepare_source(graph.nodes["song"].bound["audio"].samples), steps=2,
        conditioning=a, weight=first.weight, conditions=(second,),
    )  # fmt: skip
    np.testing.assert_array_equal(frames(graph, "cover"), session.generate(request))
    add(graph, "wrong", "ConditioningBlend", {"conditioning_a": "both", "conditioning_b": "b"})
    with pytest.raises(GraphError, match=r"wrong\.conditioning_a: ConditioningBlend failed: .*several prompts"):
        graph.run("wrong")


def test_what_was_heard_in_a_source_goes_into_its_prompt(graph: Graph, session: engine.Session, audio: np.ndarray):
    add(graph, "info", "AudioInfo", {"audio": "song"})
    add(graph, "heard", "EncodeText", {"clip": "load.clip", "info": "info"}, tags="pad", duration=SECONDS, bpm=99)
    graph.bind("song", "audio", Audio(np.tile(audio, (1, 3))))
    result = graph.run("info", "heard")
    info = result["info"]["info"]
    assert info == audio_info(np.tile(audio, (1, 3)))
    assert info.bpm == 120
    wanted = session.embed_text("pad", duration=SECONDS, bpm=120, key=info.key, time_signature="4")
    np.testing.assert_array_equal(result["heard"]["text_embed"].embedding.prompt, wanted.prompt)
    graph.bind("song", "audio", Audio(np.zeros_like(audio)))  # nothing is heard: what was set holds
    silent = session.embed_text("pad", duration=SECONDS, bpm=99, key="C major", time_signature="4")
    np.testing.assert_array_equal(graph.run("heard")["heard"]["text_embed"].embedding.prompt, silent.prompt)


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


def test_a_model_is_opened_once_and_closed_with_the_graph():
    with Graph() as graph:
        graph.add("load", "LoadModel")
        graph.add("empty", "EmptyLatent", duration=1.2)
        graph.connect("load.model", "empty.model")
        opened = graph.run("load")["load"]["model"].session
        assert graph.run("empty")["empty"]["latent"].frames.shape == (30, 64)
        assert graph.run("load")["load"]["model"].session is opened
    with pytest.raises(engine.EngineError, match="closed"):
        opened.empty_latent(30)


def test_a_bound_session_stays_the_callers(graph: Graph, session: engine.Session):
    graph.run("prompt")
    graph.close()
    assert session.empty_latent(30).shape == (30, 64)


def test_a_file_does_not_choose_checkpoints_or_folders():
    text = json.dumps({
        "format": "demon-graph", "version": 1,
        "nodes": [{"id": "load", "type": "LoadModel", "params": {"checkpoint": "someone/else"}}],
    })  # fmt: skip
    with pytest.raises(GraphError, match=r"load\.checkpoint: a graph file may not choose 'someone/else'") as caught:
        loads(text)
    assert "--set load.checkpoint=VALUE" in caught.value.fix
    typed = loads(text, settings={"load.checkpoint": "someone/else"})
    assert typed.nodes["load"].params == loads(text, trusted=True).nodes["load"].params


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_shipped_graph_runs(path: Path, session: engine.Session, audio: np.ndarray):
    with loads(path.read_bytes(), settings={"denoise.steps" if "stream" in path.stem else "seed.steps": "2"}) as graph:
        graph.bind("song", "audio", Audio(audio))
        graph.bind("load", "model", Model(session))
        heard = [graph.run("result")["result"]["audio"] for _ in range(2)][-1]
        assert isinstance(heard, Audio)
        assert np.abs(heard.samples).max() > 0.0
        if path.stem == "inpaint":
            kept = graph.run("denoise", "source")
            half = slice(0, FRAMES // 2 - 1)
            np.testing.assert_array_equal(kept["denoise"]["latent"].frames[half], kept["source"]["latent"].frames[half])


def test_a_run_of_channels_that_ends_before_it_begins_is_refused(graph: Graph):
    add(graph, "wrong", "ChannelGuidance", {"model": "load.model"}, channel_start=9, channel_end=8)
    with pytest.raises(GraphError, match=r"wrong\.channel_gain: ChannelGuidance failed: .*out of range"):
        graph.run("wrong")
