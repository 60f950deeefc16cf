"""What a node declares: read off its signature, and the only source of defaults, ranges, choices and help."""

from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph import NODES, Family, FrameCurve, Graph, GraphError, Latent, NodeParam, Registry, param, port
from engine.graph.definition import MAX_TEXT


def _param(kind: type, default: object, **more: object) -> NodeParam:
    return NodeParam(name="p", kind=kind, default=default, help="x", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("definition", NODES, ids=lambda definition: definition.name)
def test_every_registered_node_is_documented_and_its_defaults_are_valid(definition):
    assert definition.help.endswith(".")
    assert definition.outputs
    for item in (*definition.inputs, *definition.params):
        assert item.help.strip(), item.name
    for item in definition.params:
        assert item.coerce("node", item.default) == item.default
        assert type(item.default) is item.kind
    Graph().add("one", definition.name)


def test_the_signature_is_the_declaration():
    family = Family("f")

    class Two(NamedTuple):
        low: FrameCurve
        whole: Latent

    @family.node("Split")
    def split(
        latent: Annotated[Latent, port("What is split.")],
        curve: Annotated[FrameCurve | None, port("Where.")],
        share: Annotated[float, param(1, "How much.", low=0, high=2)],
    ) -> Two:
        """Split it.

        More about it.
        """
        raise NotImplementedError

    (found,) = family
    assert (found.name, found.family, found.help) == ("Split", "f", "Split it.")
    assert [(item.name, item.kind, item.required) for item in found.inputs] == [
        ("latent", "LATENT", True), ("curve", "CURVE", False),
    ]  # fmt: skip
    assert [(item.name, item.kind) for item in found.outputs] == [("low", "CURVE"), ("whole", "LATENT")]
    (share,) = found.params
    assert (share.name, share.kind, share.default, share.low, share.high) == ("share", float, 1.0, 0.0, 2.0)


def undeclared(curve: FrameCurve) -> FrameCurve:
    """It."""
    raise NotImplementedError


def starred(**others: Annotated[float, param(1.0, "x", low=0.0, high=1.0)]) -> FrameCurve:
    """It."""
    raise NotImplementedError


def defaulted(a: Annotated[bool, param(True, "x")] = False) -> FrameCurve:
    """It."""
    raise NotImplementedError


def silent(a: Annotated[bool, param(True, " ")]) -> FrameCurve:
    """It."""
    raise NotImplementedError


def strange(a: Annotated[bytes, port("x")]) -> FrameCurve:
    """It."""
    raise NotImplementedError


def strange_param(a: Annotated[list[int], param(1, "x")]) -> FrameCurve:
    """It."""
    raise NotImplementedError


def outside(a: Annotated[float, param(3.0, "x", low=0.0, high=2.0)]) -> FrameCurve:
    """It."""
    raise NotImplementedError


def unbounded(a: Annotated[float, param(3.0, "x", low=0.0)]) -> FrameCurve:
    """It."""
    raise NotImplementedError


def wrong(a: Annotated[int, param("3", "x", low=0, high=5)]) -> FrameCurve:
    """It."""
    raise NotImplementedError


def giving_nothing(a: Annotated[bool, param(True, "x")]):
    """It."""


def mute(a: Annotated[bool, param(True, "x")]) -> FrameCurve:
    raise NotImplementedError


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (undeclared, r"Node\.curve: is not declared"),
        (starred, r"Node\.others: takes what is not declared"),
        (defaulted, r"Node\.a: has a default of its own"),
        (silent, r"Node\.a: has no help"),
        (strange, r"Node\.a: .*bytes.* is no type of port"),
        (strange_param, r"Node\.a: cannot be a parameter"),
        (outside, r"Node\.a: 3\.0 is out of range"),
        (unbounded, r"Node\.a: has no range"),
        (wrong, r'Node\.a: "3" is not a whole number'),
        (giving_nothing, r"Node\.return: .* is no type of port"),
        (mute, "Node: has no help"),
    ],
)
def test_what_is_not_declared_is_refused_at_registration(function: Any, words: str):
    family = Family("f")
    with pytest.raises(GraphError, match=words):
        family.node("Node")(function)
    with pytest.raises(GraphError, match="is no name for a node"):
        family.node("node")(function)
    assert not list(family)


def test_a_name_is_registered_once_and_an_unknown_one_is_refused():
    (ramp,) = [definition for definition in NODES if definition.name == "CurveRamp"]
    registry = Registry([ramp])
    with pytest.raises(GraphError, match="CurveRamp: is registered already"):
        registry.add(ramp)
    assert registry.get("CurveRamp") is ramp
    assert len(registry) == 1
    with pytest.raises(GraphError, match="'Ramp' is no type of node"):
        registry.get("Ramp")


@given(st.integers(-10, 10) | st.floats(-10, 10) | st.booleans() | st.text(max_size=3) | st.none())
def test_a_number_is_taken_as_it_is_or_refused_by_name(value: object):
    inside = isinstance(value, int | float) and not isinstance(value, bool) and -3 <= value <= 5
    for kind, fits in ((int, inside and float(value) == int(value)), (float, inside)):
        checked = _param(kind, 0, low=-3, high=5)
        if fits:
            taken = checked.coerce("n", value)
            assert taken == value
            assert type(taken) is kind
        else:
            with pytest.raises(GraphError, match=r"^n\.p: ") as caught:
                checked.coerce("n", value)
            assert (caught.value.node, caught.value.field) == ("n", "p")
            assert caught.value.fix


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e400, 10**400])
def test_what_is_not_finite_or_far_too_large_is_refused(value: object):
    for kind in (int, float):
        with pytest.raises(GraphError, match=r"n\.p"):
            _param(kind, 0, low=-3, high=5).coerce("n", value)


def test_truth_and_text_change_kind_for_nobody():
    truth, word, free = _param(bool, False), _param(str, "a", choices=("a", "b")), _param(str, "")
    assert truth.coerce("n", True) is True
    assert word.coerce("n", "b") == "b"
    assert free.coerce("n", "x" * MAX_TEXT)
    for checked, value in (
        (truth, 1),
        (truth, "true"),
        (word, "c"),
        (word, 1),
        (free, None),
        (free, "x" * (MAX_TEXT + 1)),
    ):
        with pytest.raises(GraphError):
            checked.coerce("n", value)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (int, "3", 3),
        (float, "3", 3.0),
        (float, "1e-3", 0.001),
        (bool, "on", True),
        (bool, "No", False),
        (str, "3", "3"),
    ],
)
def test_what_a_person_types_is_read_as_the_declared_kind(kind: type, text: str, value: object):
    read = _param(kind, kind()).parse("n", text)
    assert read == value
    assert type(read) is kind


@pytest.mark.parametrize(("kind", "text"), [(int, "3.5"), (int, "x"), (float, "nan"), (float, ""), (bool, "maybe")])
def test_what_cannot_be_read_as_it_is_refused(kind: type, text: str):
    with pytest.raises(GraphError, match=r"n\.p"):
        _param(kind, kind()).parse("n", text)
