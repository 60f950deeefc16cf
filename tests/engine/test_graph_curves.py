"""Graphs of curves are what numpy says."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.graph import Graph
from engine.graph.nodes.curves import OPERATIONS, WAVES
from engine.request.curves import sample

VALUE = st.floats(-4, 4, width=32)
SOURCES = st.one_of(
    st.fixed_dictionaries({"value": VALUE, "length": st.integers(1, 40)}).map(lambda p: ("CurveConstant", p)),
    st.fixed_dictionaries({"start": VALUE, "end": VALUE, "length": st.integers(1, 40)}).map(lambda p: ("CurveRamp", p)),
    st.fixed_dictionaries(
        {
            "wave": st.sampled_from(WAVES),
            "frames_per_cycle": st.floats(1, 60),
            "amplitude": VALUE,
            "offset": VALUE,
            "length": st.integers(1, 40),
        }
    ).map(lambda p: ("CurveWave", p)),
)
MATHS = st.tuples(st.sampled_from(OPERATIONS), st.floats(0, 1), st.integers(0, 1000), st.none() | st.integers(0, 1000))


def expected_source(kind: str, p: dict[str, Any]) -> np.ndarray:
    n = p["length"]
    if kind == "CurveConstant":
        return np.float32(np.ones(n) * p["value"])
    if kind == "CurveRamp":
        return np.float32([p["start"] + (p["end"] - p["start"]) * (i / (n - 1) if n > 1 else 0.0) for i in range(n)])
    wave = []
    for i in range(n):
        phase = (i % p["frames_per_cycle"]) / p["frames_per_cycle"]
        shape = {
            "sine": np.sin(2 * np.pi * phase),
            "square": 1.0 if phase < 0.5 else -1.0,
            "triangle": 2 * phase if phase < 0.5 else 2 * (1 - phase),
        }[p["wave"]]
        wave.append(p["amplitude"] * shape + p["offset"])
    return np.float32(wave)


def expected_math(operation: str, t: float, a: np.ndarray, b: np.ndarray | None) -> np.ndarray:
    x = a.astype(np.float64)
    y = np.zeros(a.size) if b is None else sample(b, a.size, "b").astype(np.float64)
    return np.float32(
        {"add": x + y, "multiply": x * y, "min": np.minimum(x, y), "max": np.maximum(x, y), "lerp": x + t * (y - x)}[
            operation
        ]
    )


@given(st.lists(SOURCES, min_size=1, max_size=4), st.lists(MATHS, max_size=4))
def test_random_graphs_of_curves_are_what_numpy_says(sources: list[Any], maths: list[Any]):
    values: list[np.ndarray] = []
    with Graph() as graph:
        for kind, params in sources:
            graph.add(f"n{len(values)}", kind, **params)
            values.append(expected_source(kind, params))
        for operation, t, first, second in maths:
            a, b = first % len(values), None if second is None else second % len(values)
            name = f"n{len(values)}"
            graph.add(name, "CurveMath", operation=operation, t=t)
            graph.connect(f"n{a}", f"{name}.curve_a")
            if b is not None:
                graph.connect(f"n{b}", f"{name}.curve_b")
            values.append(expected_math(operation, t, values[a], None if b is None else values[b]))
        results = graph.run(*graph.nodes)
        for i, wanted in enumerate(values):
            np.testing.assert_allclose(results[f"n{i}"]["curve"].values, wanted, rtol=1e-5, atol=1e-5)
