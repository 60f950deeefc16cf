"""Requests with random controls, all of them valid."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

import engine


def curve(low: float, high: float) -> st.SearchStrategy[object]:
    """A constant, or a few points; the ends of the range often."""
    value = st.floats(low, high, width=32)
    return st.one_of(st.just(low), st.just(high), value, st.lists(value, min_size=2, max_size=9).map(np.array))


RANGES = st.sampled_from([(0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (0.3, 0.3), (0.25, 0.75)])


def conditions(prompt: engine.Conditioning, least: int) -> st.SearchStrategy[object]:
    """Further prompts with weights and ranges of steps."""
    some = st.builds(engine.Condition, conditioning=st.just(prompt), weight=curve(0.0, 2.0), steps=RANGES)
    return st.lists(some, min_size=least, max_size=2)


def controls(target: np.ndarray, negative: engine.Conditioning) -> st.SearchStrategy[dict[str, object]]:
    """Fields that change the step, any subset of them, for a request with a source."""
    rng = np.random.default_rng(8)
    fields: dict[str, st.SearchStrategy[object]] = {
        "solver": st.sampled_from(["ode", "sde"]),
        "sde_denoise": curve(0.0, 1.0),
        "ode_noise": curve(0.0, 1.0),
        "initial_noise": curve(0.0, 1.0),
        "x0_strength": curve(0.0, 1.0),
        "x0_curve": curve(0.0, 1.0),
        "x0_gate": st.sampled_from([0.0, 0.4, 1.0]),
        "mask_strength": curve(0.0, 1.0),
        "guidance": curve(0.0, 4.0),
        "guidance_mode": st.sampled_from(["full", "initialize", "self"]),
        "guidance_interval": st.sampled_from([(0.0, 0.3), (0.2, 1.0)]),
        "apg_momentum": curve(-0.75, 0.5),
        "cfg_rescale": curve(0.0, 1.0),
        "dcw": st.builds(
            engine.Dcw,
            mode=st.sampled_from(["low", "high", "double", "pix"]),
            scaler=curve(0.0, 0.5),
            high_scaler=curve(-0.5, 0.5),
            wavelet=st.sampled_from(["haar", "haar", "db4", "bior2.2"]),
            soft_thresh=st.sampled_from([0.0, 0.0, 0.1]),
        ),
        "negative": st.just(negative) | conditions(negative, 1),
        "apg_eta": st.sampled_from([0.0, 0.5, 1.0, -1.0]),
        "apg_norm_threshold": st.sampled_from([0.0, 0.7, 2.5]),
        "conditions": conditions(negative, 0),
        "weight": curve(0.0, 2.0),
        "condition_steps": RANGES,
        "hints": st.just(target),
        "chunk_mask": curve(0.0, 1.0),
        "channel_gain": st.sampled_from([np.full(64, 1.5), rng.uniform(0.5, 1.5, (len(target), 64))]),
    }
    given = st.fixed_dictionaries({}, optional=fields).map(
        lambda some: ({"negative": negative} if "guidance" in some else {}) | some
    )
    return st.builds(lambda some, mask: some | {"x0_target": target, "mask": mask}, given, curve(0.0, 1.0)) | given.map(
        lambda some: {name: value for name, value in some.items() if name[:2] != "x0" and name != "mask_strength"}
    )


def with_fields(request: engine.Request, fields: dict[str, object]) -> engine.Request:
    """The request with some fields changed."""
    return replace(request, **fields)  # type: ignore[arg-type]
