"""The catalogue, the shipped graphs, and what becomes of sessions, LoRAs and folders around a graph."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from covers import COVER, FRAMES, SECONDS, add, asked, frames, generated
from lora_files import STYLES, factors
from safetensors.numpy import save_file

import engine
from engine.graph import NODES, Audio, Graph, GraphError, Model, loads

CATALOGUE = [
    "LoadModel", "AudioInfo", "VAEEncodeAudio", "VAEDecodeAudio", "StreamVAEDecode", "EmptyLatent", "LatentBlend",
    "SemanticExtract", "EncodeText", "EncodeConditioning", "ConditioningZeroOut", "ConditioningAverage",
    "ConditioningBlend", "ConditioningCombine", "CurveConstant", "CurveRamp", "CurveWave", "CurveMath",
    "TemporalMask", "SetLatentNoiseMask", "InvertMask", "DiffusionConfig", "OdeSolver", "SdeSolver", "DCWConfig",
    "Modulation", "StreamDenoise", "Generate", "LatentChannelScale", "ChannelGuidance", "RemoveChannelGuidance",
    "LoRA",
]  # fmt: skip
EXAMPLES = Path(__file__).parents[2] / "examples" / "graphs"


def test_the_catalogue_is_complete_and_what_is_ours_is_marked():
    assert len(CATALOGUE) == 32
    assert {definition.name for definition in NODES if not definition.own} == set(CATALOGUE)
    assert {definition.name for definition in NODES if definition.own} == {"AudioInput", "AudioOutput"}


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
