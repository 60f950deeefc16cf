"""Graphs as JSON: the same graph again, and nothing from a file that is not checked."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph import NODES, Graph, GraphError, dumps, loads

PARAMS = {
    bool: lambda p: st.booleans(),
    int: lambda p: st.integers(int(max(p.low, -(2**63))), int(min(p.high, 2**64 - 1))),
    float: lambda p: st.floats(max(p.low, -1e6), min(p.high, 1e6)),
    str: lambda p: st.sampled_from(p.choices) if p.choices else st.text(max_size=20),
}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    graph = Graph(draw(st.text(max_size=20)))
    for i in range(draw(st.integers(0, 8))):
        definition = draw(st.sampled_from(list(NODES)))
        given = {p.name: draw(PARAMS[p.kind](p)) for p in definition.params if draw(st.booleans())}
        graph.add(f"n{i}", definition.name, **given)
        for port in definition.inputs:
            fitting = [
                f"{node.id}.{output.name}"
                for node in graph.nodes.values()
                for output in node.definition.outputs
                if node.id != f"n{i}" and port.accepts(output) and not port.external
            ]
            if fitting and draw(st.booleans()):
                graph.connect(draw(st.sampled_from(fitting)), f"n{i}.{port.name}")
    return graph


@given(graphs())
def test_a_graph_survives_its_document(graph: Graph):
    text = dumps(graph)
    again = loads(text, trusted=True)
    assert dumps(again) == text
    assert again.about == graph.about
    for name, node in graph.nodes.items():
        other = again.nodes[name]
        assert (other.definition, other.params, other.sources) == (node.definition, node.params, node.sources)


def document(**changes: Any) -> dict[str, Any]:
    base = {
        "format": "demon-graph",
        "version": 1,
        "nodes": [
            {"id": "half", "type": "CurveMath", "inputs": {"curve_a": "ramp.curve"}},
            {"id": "ramp", "type": "CurveRamp", "params": {"length": 8}},
        ],
    }
    return {**base, **changes}


def test_nodes_may_stand_in_any_order_and_only_say_what_differs():
    graph = loads(json.dumps(document()))
    assert graph.nodes["ramp"].params == {"start": 0.0, "end": 1.0, "length": 8}
    assert graph.nodes["half"].sources == {"curve_a": ("ramp", "curve")}


def test_settings_are_read_as_typed_and_win():
    graph = loads(json.dumps(document()), settings={"ramp.length": "9", "half.operation": "max"})
    assert graph.nodes["ramp"].params["length"] == 9
    assert graph.nodes["half"].params["operation"] == "max"
    for name, words in (("ramp.size", "no such parameter"), ("rump.length", "no parameter"), ("ramp", "no parameter")):
        with pytest.raises(GraphError, match=words):
            loads(json.dumps(document()), settings={name: "9"})


NODE = {"id": "a", "type": "CurveMath"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfe", "cannot be read"),
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
        (b" " * ((1 << 20) + 1), "takes 1048577 bytes"),
        (document(format="comfy"), "has the format 'comfy'"),
        (document(version=2), "has version 2, and this program knows 1"),
        (document(version="1"), "cannot be read"),
        (document(more=1), "cannot be read"),
        (document(nodes=[{**NODE, "more": 1}]), "cannot be read"),
        (document(nodes=[{**NODE, "params": {"t": [1]}}]), "cannot be read"),
        (document(nodes=[{**NODE, "params": {"t": None}}]), "cannot be read"),
        (document(nodes=[{**NODE, "params": {"t": 2}}]), r"a\.t: 2 is out of range"),
        (document(nodes=[{**NODE, "params": {"s": 2}}]), r"a\.s: CurveMath has no such parameter"),
        (document(nodes=[{**NODE, "type": "Exec"}]), "a: 'Exec' is no type of node"),
        (document(nodes=[{**NODE, "id": "../a"}]), "is no id"),
        (document(nodes=[NODE, NODE]), "a: is the id of two nodes"),
        (document(nodes=[{**NODE, "inputs": {"curve_a": "a.curve"}}]), "would read itself: a -> a"),
        (document(nodes=[{**NODE, "inputs": {"curve_a": "b.curve"}}]), "b: is no node"),
        (document(nodes=[{**NODE, "inputs": {"curve_a": ""}}]), "is no node"),
        (document(nodes=[{"id": f"n{i}", "type": "CurveMath"} for i in range(1001)]), "has 1001 nodes"),
        (
            document(nodes=[*document()["nodes"], {"id": "m", "type": "InvertMask", "inputs": {"mask": "ramp.curve"}}]),
            r"m\.mask: takes MASK, but ramp\.curve is CURVE",
        ),
    ],
)
def test_a_bad_document_is_refused_with_what_to_do(text: Any, words: str):
    data = text if isinstance(text, bytes) else json.dumps(text)
    with pytest.raises(GraphError, match=words) as caught:
        loads(data)
    assert caught.value.fix
    assert len(str(caught.value)) < 600


def test_what_a_file_says_reaches_no_terminal_as_it_is():
    nodes = [{"id": "a", "type": "CurveMath", "params": {"operation": "\x1b[2J" + "x" * 5000}}]
    with pytest.raises(GraphError) as caught:
        loads(json.dumps(document(nodes=nodes)))
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_an_unknown_version_is_named_before_anything_else_is_read():
    with pytest.raises(GraphError, match="has version 7"):
        loads(json.dumps({"format": "demon-graph", "version": 7, "whatever": []}))
