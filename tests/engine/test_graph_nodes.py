"""The operations as nodes: the same bytes as the session's."""

import numpy as np
import pytest
from covers import COVER, FRAMES, SECONDS, add, asked, frames, generated

import engine
from engine.analysis.info import audio_info
from engine.graph import Audio, Graph, GraphError
from engine.request.dcw import Dcw


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


def test_a_correction_that_is_switched_off_is_bit_exactly_absent(graph: Graph):
    add(graph, "config", "DiffusionConfig", {}, seed=9, steps=2, denoise=0.7)
    add(graph, "off", "DCWConfig", {}, enabled=False, wavelet="db4", mult_blend=0.5)
    plain = add(graph, "plain", "Generate", {**COVER, "solver": "ode", "config": "config"})
    without = add(graph, "without", "Generate", {**COVER, "solver": "ode", "config": "config", "dcw": "off"})
    np.testing.assert_array_equal(frames(graph, without), frames(graph, plain))


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


def test_a_run_of_channels_that_ends_before_it_begins_is_refused(graph: Graph):
    add(graph, "wrong", "ChannelGuidance", {"model": "load.model"}, channel_start=9, channel_end=8)
    with pytest.raises(GraphError, match=r"wrong\.channel_gain: ChannelGuidance failed: .*out of range"):
        graph.run("wrong")
