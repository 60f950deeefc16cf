"""What is refused, and how it is said."""

from dataclasses import fields, replace

import numpy as np
import pytest

import engine

_PROMPT = engine.Conditioning(states=np.zeros((3, 128), np.float32), mask=np.ones(3, bool))
_WIDE = engine.Conditioning(states=np.zeros((3, 64), np.float32), mask=np.ones(3, bool))

BAD = [
    ("frames", 29),
    ("frames", 61),
    ("frames", 28),
    ("frames", 60.0),
    ("frames", True),
    ("frames", 62),
    ("seed", -1),
    ("seed", 2**64),
    ("seed", 1.5),
    ("steps", 0),
    ("steps", 65),
    ("steps", "8"),
    ("shift", 0.0),
    ("shift", -1.0),
    ("shift", float("nan")),
    ("denoise", -0.1),
    ("denoise", 1.01),
    ("denoise", float("nan")),
    ("denoise", None),
    ("prompt_blend", 1.2),
    ("prompt_blend", -0.1),
    ("hint_strength", 2.0),
    ("hint_strength", np.zeros((2, 60))),
    ("velocity_scale", np.full(60, np.nan)),
    ("velocity_scale", []),
    ("conditioning", None),
    ("source", np.zeros((60, 64))),
    ("solver", "heun"),
    ("solver", None),
    ("sde_denoise", 1.5),
    ("sde_denoise", np.zeros((2, 60))),
    ("ode_noise", -0.1),
    ("ode_noise", [np.nan]),
    ("initial_noise", -0.5),
    ("initial_noise", "noise"),
    ("x0_target", np.zeros((58, 64))),
    ("x0_target", np.full((60, 64), np.inf)),
    ("x0_strength", 1.1),
    ("x0_strength", "half"),
    ("x0_curve", [0.0, 2.0]),
    ("x0_gate", 1.5),
    ("x0_gate", "late"),
    ("mask", 2.0),
    ("mask", []),
    ("mask_strength", [0.0, -1.0]),
    ("mask_strength", 0.5),  # there is no mask
    ("channel_gain", [1.0] * 63),
    ("channel_gain", [[1.0], [1.0, 2.0]]),
    ("channel_gain", 2.0),
    ("channel_gain", np.full((60, 64), np.nan)),
    ("negative", "silence"),
    ("guidance", np.nan),
    ("guidance", [[3.0]]),
    ("guidance_mode", "half"),
    ("guidance_interval", (0.5, 0.2)),
    ("guidance_interval", 0.5),
    ("guidance_interval", (0.0, "end")),
    ("apg_momentum", -1.5),
    ("cfg_rescale", [0.0, 2.0]),
    ("dcw", 0.05),
    ("dcw", engine.Dcw(mode="both")),
    ("dcw", engine.Dcw(scaler=np.inf)),
    ("dcw", engine.Dcw(high_scaler=[])),  # type: ignore[arg-type]
    ("conditioning_b", "warm pad"),
    ("weight", -0.5),
    ("weight", np.inf),
    ("condition_steps", (0.5, 0.2)),
    ("condition_steps", [0.0, 1.0]),
    ("conditions", _PROMPT),
    ("conditions", [_PROMPT]),
    ("conditions", [engine.Condition(conditioning=_PROMPT), engine.Condition(conditioning=_WIDE)]),
    ("conditions", [engine.Condition(conditioning=_PROMPT, weight=-1.0)]),
    ("conditions", [engine.Condition(conditioning=_PROMPT, steps=(0.0, 1.1))]),
    ("negative", [_PROMPT]),
    ("negative", [engine.Condition(conditioning=_WIDE)]),
    ("hints", np.zeros((58, 64))),
    ("hints", np.full((60, 64), np.nan)),
    ("chunk_mask", 1.5),
    ("chunk_mask", "repaint"),
    ("timesteps", []),
    ("timesteps", [0.0]),
    ("timesteps", [1.0, 0.5, 0.5]),
    ("timesteps", [1.2, 0.5]),
    ("timesteps", [1.0, -0.5]),
    ("timesteps", [1.0, np.nan]),
    ("timesteps", np.linspace(1.0, 0.1, 65)),
    ("timesteps", [[1.0, 0.5]]),
    ("timesteps", 8),
    ("timesteps", ["one"]),
    ("noise_start", -1),
    ("noise_start", 1.5),
    ("apg_eta", np.nan),
    ("apg_eta", np.zeros(60)),
    ("apg_norm_threshold", -1.0),
    ("apg_norm_threshold", None),
    ("loras", "night"),
    ("loras", {3: 1.0}),
    ("loras", {"night": np.inf}),
    ("loras", {"night": "full"}),
    ("control_version", -1),
    ("tag", "x"),
]


@pytest.mark.parametrize(("field", "value"), BAD, ids=[f"{field}-{index}" for index, (field, _) in enumerate(BAD)])
def test_a_bad_field_is_refused_by_name_and_nothing_is_lost(
    session: engine.Session,
    prompt: engine.Conditioning,
    prompt_b: engine.Conditioning,
    source: engine.Source,
    field: str,
    value: object,
):
    good = engine.Request(conditioning=prompt, conditioning_b=prompt_b, source=source, frames=60, steps=1)
    stream = session.open_stream(60)
    waiting = stream.submit(good)
    with pytest.raises(engine.RequestError) as caught:
        stream.submit(replace(good, **{field: value}))
    assert caught.value.field.startswith(field)
    assert field in caught.value.text
    assert caught.value.fix.endswith(".")
    assert caught.value.code == "bad_request"
    assert [done.request_id for done in stream.flush()] == [waiting]


def test_every_field_has_a_bad_value():
    assert {field for field, _ in BAD} == {field.name for field in fields(engine.Request)}


def test_times_that_start_below_one_need_a_source(session: engine.Session, prompt: engine.Conditioning):
    with pytest.raises(engine.RequestError, match="needs a source"):
        session.generate(engine.Request(conditioning=prompt, frames=60, timesteps=[0.9, 0.5]))


def test_times_beside_denoise_are_refused(session: engine.Session, prompt: engine.Conditioning, source: engine.Source):
    request = engine.Request(conditioning=prompt, frames=60, source=source, timesteps=[0.9, 0.5], denoise=0.5)
    with pytest.raises(engine.RequestError, match="denoise"):
        session.generate(request)


def test_partial_denoise_needs_a_source(session: engine.Session, prompt: engine.Conditioning):
    with pytest.raises(engine.RequestError, match="denoise") as caught:
        session.generate(engine.Request(conditioning=prompt, frames=60, denoise=0.5))
    assert caught.value.field == "denoise"


def test_a_blend_without_prompt_b_is_refused(session: engine.Session, prompt: engine.Conditioning):
    with pytest.raises(engine.RequestError) as caught:
        session.generate(engine.Request(conditioning=prompt, frames=60, prompt_blend=0.5))
    assert caught.value.field == "conditioning_b"


@pytest.mark.parametrize("field", ["sde_denoise", "initial_noise", "mask"])
def test_what_mixes_with_the_source_is_refused_without_one(
    session: engine.Session, prompt: engine.Conditioning, field: str
):
    request = replace(engine.Request(conditioning=prompt, frames=60), **{field: 0.5})
    with pytest.raises(engine.RequestError, match="needs a source") as caught:
        session.generate(request)
    assert caught.value.field == field


def test_guidance_without_a_negative_prompt_is_refused(session: engine.Session, prompt: engine.Conditioning):
    with pytest.raises(engine.RequestError, match="null_conditioning") as caught:
        session.generate(engine.Request(conditioning=prompt, frames=60, guidance=3.0))
    assert caught.value.field == "negative"


@pytest.mark.parametrize("given", [{"x0_strength": 0.5}, {"x0_curve": 0.0}])
def test_a_share_of_no_target_is_refused(session: engine.Session, prompt: engine.Conditioning, given: dict[str, float]):
    with pytest.raises(engine.RequestError) as caught:
        session.generate(replace(engine.Request(conditioning=prompt, frames=60), **given))  # type: ignore[arg-type]
    assert caught.value.field == "x0_target"


def test_an_unknown_channel_group_is_refused_by_name():
    with pytest.raises(engine.RequestError, match="g8"):
        engine.channel_gain({"g8": 1.0}, 60)
    with pytest.raises(engine.RequestError, match="g1"):
        engine.channel_gain({"g1": float("nan")}, 60)


def test_conditioning_of_another_width_is_refused(session: engine.Session):
    alien = engine.Conditioning(states=np.zeros((4, 2048), np.float32), mask=np.ones(4, bool))
    with pytest.raises(engine.RequestError, match="128 wide"):
        session.generate(engine.Request(conditioning=alien, frames=60))


@pytest.mark.parametrize(
    ("states", "mask"),
    [(np.zeros(4), np.ones(4)), (np.full((4, 8), np.nan), np.ones(4)), (np.zeros((4, 8)), np.ones(3)), ("text", [1])],
)
def test_conditioning_checks_its_arrays(states: object, mask: object):
    with pytest.raises(engine.RequestError):
        engine.Conditioning(states=states, mask=mask)  # type: ignore[arg-type]


def test_values_are_read_only_copies():
    latent = np.zeros((60, 64), np.float32)
    source = engine.Source(latent=latent, hints=latent)
    latent[:] = 1.0
    assert not source.latent.any()
    with pytest.raises(ValueError, match="read-only"):
        source.latent[0, 0] = 1.0


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("prompt", {"prompt": 3}),
        ("prompt", {"prompt": "word " * 4000}),
        ("task", {"task": "remix"}),
        ("task", {"task": ["cover"]}),
        ("bpm", {"bpm": 29}),
        ("bpm", {"bpm": 301}),
        ("bpm", {"bpm": 120.5}),
        ("duration", {"duration": 0.0}),
        ("duration", {"duration": float("inf")}),
        ("duration", {"duration": 600.1}),
        ("key", {"key": 5}),
        ("key", {"key": "H minor"}),
        ("key", {"key": "C Major"}),
        ("key", {"key": "c minor"}),
        ("time_signature", {"time_signature": 4}),
        ("time_signature", {"time_signature": "4/4"}),
        ("lyrics", {"lyrics": None}),
        ("lyrics", {"lyrics": "la " * 9000}),
        ("language", {"language": b"en"}),
        ("language", {"language": "xx"}),
        ("track", {"task": "lego", "track": "kazoo"}),
        ("track", {"task": "lego", "track": ["drums"]}),
        ("track", {"task": "cover", "track": "drums"}),
        ("tracks", {"task": "complete", "tracks": "drums"}),
        ("tracks", {"task": "complete", "tracks": ["drums", "kazoo"]}),
        ("tracks", {"task": "lego", "tracks": ["drums"]}),
        ("timbre", {"timbre": np.zeros((10, 3))}),
        ("timbre", {"timbre": np.full((10, 64), np.nan)}),
        ("timbre_strength", {"timbre_strength": 1.5}),
        ("timbre_strength", {"timbre_strength": "half"}),
    ],
)
def test_bad_text_fields_are_refused_by_name(session: engine.Session, field: str, arguments: dict[str, object]):
    with pytest.raises(engine.RequestError) as caught:
        session.encode_text(**({"prompt": "techno", "duration": 10.0} | arguments))  # type: ignore[arg-type]
    assert caught.value.field == field
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "audio", [np.zeros(100), np.zeros((1, 100)), np.zeros((2, 0)), np.full((2, 100), np.inf), "wav"]
)
def test_bad_audio_is_refused(session: engine.Session, audio: object):
    with pytest.raises(engine.RequestError) as caught:
        session.prepare_source(audio)  # type: ignore[arg-type]
    assert caught.value.field == "audio"


@pytest.mark.parametrize(("start", "frames"), [(-1, 5), (0, 0), (56, 5), (60, 1), (0, 61), (0.5, 5)])
def test_a_window_outside_the_latent_is_refused(
    session: engine.Session, latent: np.ndarray, start: object, frames: object
):
    with pytest.raises(engine.RequestError) as caught:
        session.decode(latent, start, frames)  # type: ignore[arg-type]
    assert caught.value.field in {"start", "frames"}


@pytest.mark.parametrize("depth", [0, 9, 2.0, True])
def test_a_bad_depth_is_refused(session: engine.Session, depth: object):
    with pytest.raises(engine.RequestError, match="depth"):
        session.open_stream(60, depth)  # type: ignore[arg-type]


def test_unknown_devices_and_thread_counts_are_refused():
    for options in ({"device": "cuda:7"}, {"threads": 0}, {"threads": 2.5}):
        with pytest.raises(engine.RequestError, match=next(iter(options))):
            engine.Session.open(**options)  # type: ignore[arg-type]
