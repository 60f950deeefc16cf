"""Graphs: connections, what runs, what is kept, what streams."""

from typing import Annotated, Any, ClassVar

import numpy as np
import pytest

from engine.errors import RequestError
from engine.graph import NO_OUTPUT, NODES, Family, FrameCurve, Graph, GraphError, Mask, Registry, param, port
from engine.graph.values import NoOutput

probes = Family("probes")
CALLS: list[str] = []


@probes.node("Count")
def count(curve: Annotated[FrameCurve, port("x")], name: Annotated[str, param("count", "x")]) -> FrameCurve:
    """Count its executions."""
    CALLS.append(name)
    return FrameCurve(curve.values.copy())


@probes.node("Pass")
def pass_on(value: Annotated[object, port("x")]) -> object:
    """Give what it gets."""
    return value


@probes.node("Fail")
def fail(curve: Annotated[FrameCurve, port("x")]) -> FrameCurve:
    """Fail as the engine does."""
    raise RequestError("steps", 0, "is out of range", "Use more.")


@probes.node("Lie")
def lie(curve: Annotated[FrameCurve, port("x")]) -> Mask:
    """Give what it does not declare."""
    return curve  # type: ignore[return-value]


@probes.stateful("Pulse")
class Pulse:
    """Something new in every second run."""

    live: ClassVar[bool] = True
    closed: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self._runs = 0

    def execute(self, name: Annotated[str, param("pulse", "x")]) -> FrameCurve | NoOutput:
        self._name = name
        self._runs += 1
        return NO_OUTPUT if self._runs % 2 else FrameCurve(np.float32([self._runs]))

    def close(self) -> None:
        self.closed.append(self._name)


@probes.stateful("Latest")
class Latest:
    """Run every time with the newest that ever came."""

    live: ClassVar[bool] = True

    def execute(self, curve: Annotated[FrameCurve, port("x", keeps=True)]) -> FrameCurve:
        CALLS.append("latest")
        return curve

    def close(self) -> None: ...


@pytest.fixture
def graph():
    CALLS.clear()
    Pulse.closed.clear()
    with Graph(registry=Registry(NODES, probes)) as made:
        yield made


def chain(graph: Graph) -> Graph:
    graph.add("ramp", "CurveRamp", length=8)
    graph.add("a", "Count", name="a")
    graph.add("b", "Count", name="b")
    graph.add("both", "CurveMath")
    graph.connect("ramp.curve", "a.curve")
    graph.connect("ramp", "b.curve")
    graph.connect("a", "both.curve_a")
    graph.connect("b", "both.curve_b")
    return graph


def test_each_node_runs_once_and_only_what_is_wanted(graph: Graph):
    chain(graph)
    graph.add("unread", "Count", name="unread")
    graph.connect("ramp", "unread.curve")
    result = graph.run("both")
    assert sorted(CALLS) == ["a", "b"]
    np.testing.assert_allclose(result["both"]["curve"].values, 2 * np.linspace(0, 1, 8), atol=1e-6)
    assert set(graph.run()) == {"both", "unread"}


def test_only_what_lies_behind_a_change_runs_again(graph: Graph):
    chain(graph)
    first = graph.run("both")
    assert graph.run("both")["both"]["curve"] is first["both"]["curve"]
    graph.set("both", "operation", "max")
    graph.run("both")
    assert sorted(CALLS) == ["a", "b"]
    graph.set("a", "name", "a again")
    graph.run("both")
    assert sorted(CALLS) == ["a", "a again", "b"]
    graph.set("ramp", "end", 3.0)
    graph.run("both")
    assert CALLS.count("b") == 2
    graph.set("ramp", "end", 3.0)
    graph.run("both")
    assert CALLS.count("b") == 2


def test_what_is_bound_is_an_input_like_any_other(graph: Graph):
    graph.add("a", "Count")
    graph.bind("a", "curve", FrameCurve(np.float32([1, 2])))
    graph.run()
    graph.run()
    assert len(CALLS) == 1
    graph.bind("a", "curve", FrameCurve(np.float32([1, 2])))
    graph.run()
    assert len(CALLS) == 2
    with pytest.raises(GraphError, match=r"a\.curve: takes FrameCurve, not ndarray"):
        graph.bind("a", "curve", np.float32([1]))


def test_no_output_passes_through_and_what_was_kept_is_still_there(graph: Graph):
    graph.add("pulse", "Pulse")
    graph.add("a", "Count")
    graph.add("latest", "Latest")
    graph.connect("pulse", "a.curve")
    graph.connect("pulse", "latest.curve")
    nothing, something, again = graph.run(), graph.run(), graph.run()
    assert nothing["a"]["curve"] is NO_OUTPUT
    assert nothing["latest"]["curve"] is NO_OUTPUT
    assert something["a"]["curve"].values == [2.0]
    assert again["a"]["curve"] is NO_OUTPUT
    assert again["latest"]["curve"] is something["latest"]["curve"]
    assert CALLS == ["count", "latest", "latest"]


def test_a_missing_input_is_found_before_anything_runs(graph: Graph):
    chain(graph)
    graph.add("open", "CurveMath")
    with pytest.raises(GraphError, match=r"open\.curve_a: CurveMath needs this input") as caught:
        graph.run()
    assert "Connect an output of type CURVE to open.curve_a." in str(caught.value)
    assert not CALLS
    graph.run("both")


def test_a_connection_of_other_types_is_refused_by_name(graph: Graph):
    graph.add("ramp", "CurveRamp")
    graph.add("invert", "InvertMask")
    graph.add("any", "Pass")
    with pytest.raises(GraphError, match=r"invert\.mask: takes MASK, but ramp\.curve is CURVE"):
        graph.connect("ramp.curve", "invert.mask")
    graph.connect("ramp", "any.value")
    graph.connect("any", "invert.mask")
    with pytest.raises(GraphError, match=r"invert\.mask: InvertMask takes MASK, but was given FrameCurve"):
        graph.run()


def test_a_circle_is_refused_and_named(graph: Graph):
    for name in ("a", "b", "c"):
        graph.add(name, "CurveMath")
    graph.connect("a", "b.curve_a")
    graph.connect("b", "c.curve_a")
    with pytest.raises(GraphError, match="would read itself: a -> b -> c -> a"):
        graph.connect("c", "a.curve_b")
    with pytest.raises(GraphError, match="would read itself: a -> a"):
        graph.connect("a", "a.curve_b")
    assert not graph.nodes["a"].sources


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda g: g.add("ramp", "CurveRamp"), "ramp: is the id of two nodes"),
        (lambda g: g.add("a b", "CurveRamp"), "is no id"),
        (lambda g: g.add("x", "Nothing"), "x: 'Nothing' is no type of node"),
        (lambda g: g.add("x", "CurveRamp", nothing=1), r"x\.nothing: CurveRamp has no such parameter"),
        (lambda g: g.add("x", "CurveRamp", length="8"), r'x\.length: "8" is not a whole number'),
        (lambda g: g.set("ramp", "length", 0), r"ramp\.length: 0 is out of range\. Keep it between 1 and 15000"),
        (lambda g: g.set("none", "length", 1), "none: is no node of this graph"),
        (lambda g: g.connect("ramp.value", "both.curve_a"), r"ramp\.value: CurveRamp has no such output"),
        (lambda g: g.connect("ramp.curve", "both.curve"), r"both\.curve: CurveMath has no such input"),
        (lambda g: g.connect("ramp.curve", "both"), "both: names no input"),
        (lambda g: g.connect("ramp.curve", "both.curve_a"), r"both\.curve_a: has a value already"),
        (lambda g: g.bind("both", "curve_a", FrameCurve(np.float32([1]))), r"both\.curve_a: is connected"),
        (lambda g: g.run("nobody"), "nobody: is no node"),
    ],
)
def test_a_wrong_change_names_what_is_wrong_and_changes_nothing(graph: Graph, change: Any, words: str):
    chain(graph)
    before = {name: (dict(node.params), dict(node.sources)) for name, node in graph.nodes.items()}
    with pytest.raises(GraphError, match=words) as caught:
        change(graph)
    assert caught.value.fix
    assert {name: (dict(node.params), dict(node.sources)) for name, node in graph.nodes.items()} == before


def test_a_node_that_fails_is_named_and_what_ran_before_it_is_kept(graph: Graph):
    chain(graph)
    graph.add("broken", "Fail")
    graph.connect("both", "broken.curve")
    for _ in range(2):
        with pytest.raises(GraphError, match=r"broken\.steps: Fail failed: steps = 0: is out of range\. Use more\."):
            graph.run("broken")
    assert sorted(CALLS) == ["a", "b"]


def test_a_node_that_gives_what_it_does_not_declare_is_caught(graph: Graph):
    graph.add("ramp", "CurveRamp")
    graph.add("lie", "Lie")
    graph.connect("ramp", "lie.curve")
    with pytest.raises(GraphError, match=r"lie\.mask: Lie returned FrameCurve where it declares MASK"):
        graph.run()


def test_closing_closes_what_was_opened_last_one_first_and_once(graph: Graph):
    graph.add("one", "Pulse", name="one")
    graph.add("two", "Pulse", name="two")
    graph.add("never", "Pulse", name="never")
    graph.run("one", "two")
    graph.close()
    graph.close()
    assert Pulse.closed == ["two", "one"]
    with pytest.raises(GraphError, match="The graph is closed"):
        graph.run()


def test_progress_counts_the_nodes_that_a_run_visits(graph: Graph):
    chain(graph)
    seen: list[tuple[str, int, int]] = []
    graph.run("both", progress=lambda *step: seen.append(step))
    assert [(done, total) for _, done, total in seen] == [(i, 4) for i in range(4)]
    assert {name for name, *_ in seen} == {"ramp", "a", "b", "both"}


def test_a_deep_graph_runs(graph: Graph):
    graph.add("n0", "CurveConstant", length=2)
    for i in range(1, 1000):
        graph.add(f"n{i}", "CurveMath")
        graph.connect(f"n{i - 1}", f"n{i}.curve_a")
    assert graph.run()["n999"]["curve"].values.tolist() == [1.0, 1.0]
    with pytest.raises(GraphError, match="more than 1000 nodes"):
        graph.add("more", "CurveConstant")
