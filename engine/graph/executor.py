"""Running a graph: every node that is wanted, each after what it reads, none twice, none without need."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import TypeAlias

from engine.errors import EngineError
from engine.graph.definition import Body, ParamValue
from engine.graph.errors import GraphError
from engine.graph.node import Node
from engine.graph.values import NO_OUTPUT

Outputs: TypeAlias = Mapping[str, object]
"""What a node gave, by output."""

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the id of the node that runs next, how many are done and how many there are."""


@dataclass(eq=False)
class _State:
    """What is kept of one node between runs."""

    body: Body
    kept: dict[str, object] = field(default_factory=dict[str, object])  # newest value of inputs that keep theirs
    params: dict[str, ParamValue] | None = None
    inputs: dict[str, object] | None = None
    outputs: Outputs = field(default_factory=dict[str, object])

    def is_current(self, params: dict[str, ParamValue], inputs: dict[str, object]) -> bool:
        """Whether the outputs are those of these parameters and these very inputs."""
        known = self.inputs
        return (
            known is not None
            and self.params == params
            and known.keys() == inputs.keys()
            and all(known[name] is value for name, value in inputs.items())
        )


class Executor:
    """Runs nodes and keeps what they gave, so that a later run repeats only what lies behind a change."""

    def __init__(self) -> None:
        self._states: dict[str, _State] = {}

    def run(
        self, nodes: Mapping[str, Node], wanted: Sequence[str], progress: Progress | None = None
    ) -> dict[str, Outputs]:
        """Run what the wanted nodes need, and them.

        Raises:
            GraphError: an input that is required has nothing connected or bound, and nothing has run; or a node
                failed, and what ran before it is kept.
        """
        order = _order(nodes, wanted)
        for name in order:
            _check_inputs(nodes[name])
        results: dict[str, Outputs] = {}
        for done, name in enumerate(order):
            if progress is not None:
                progress(name, done, len(order))
            results[name] = self._result(nodes[name], results)
        return {name: results[name] for name in wanted}

    def close(self) -> None:
        """Close what nodes opened, the last one first, and forget every result."""
        while self._states:
            _, state = self._states.popitem()
            state.body.close()

    def _result(self, node: Node, results: Mapping[str, Outputs]) -> Outputs:
        state = self._states.get(node.id)
        if state is None:
            state = self._states[node.id] = _State(node.definition.open())
        inputs = {port.name: _incoming(node, port.name, results) for port in node.definition.inputs}
        for port in node.definition.inputs:
            if port.keeps and inputs[port.name] is NO_OUTPUT:
                inputs[port.name] = state.kept.get(port.name, NO_OUTPUT)
            elif port.keeps:
                state.kept[port.name] = inputs[port.name]
        if any(value is NO_OUTPUT for value in inputs.values()):
            return node.definition.pack(node.id, NO_OUTPUT)
        _check_values(node, inputs)
        if node.definition.live or not state.is_current(node.params, inputs):
            state.inputs = None  # a node that fails here has no result, whatever it had before
            state.outputs = _execute(node, state.body, inputs)
            state.params, state.inputs = dict(node.params), inputs
        return state.outputs


def _execute(node: Node, body: Body, inputs: dict[str, object]) -> Outputs:
    try:
        result = body.execute(**inputs, **node.params)
    except GraphError:
        raise
    except EngineError as error:
        problem = f"{node.definition.name} failed: {error.text.rstrip('.')}"
        raise GraphError(node.id, getattr(error, "field", ""), problem, error.fix) from error
    return node.definition.pack(node.id, result)


def _check_values(node: Node, inputs: Mapping[str, object]) -> None:
    """An output of type ANY shows only now what it gives."""
    for port in node.definition.inputs:
        value = inputs[port.name]
        if not (isinstance(value, port.cls) or (value is None and not port.required)):
            problem = f"{node.definition.name} takes {port.kind}, but was given {type(value).__name__}"
            raise GraphError(node.id, port.name, problem, f"Connect an output of type {port.kind}.")


def _incoming(node: Node, name: str, results: Mapping[str, Outputs]) -> object:
    if name in node.sources:
        source, output = node.sources[name]
        return results[source][output]
    return node.bound.get(name)


def _order(nodes: Mapping[str, Node], wanted: Iterable[str]) -> list[str]:
    graph: dict[str, set[str]] = {}
    waiting = list(wanted)
    while waiting:
        name = waiting.pop()
        if name not in graph:
            graph[name] = nodes[name].parents
            waiting += graph[name]
    # in the order in which the nodes were added, so that a graph runs the same way every time
    return list(TopologicalSorter({name: graph[name] for name in nodes if name in graph}).static_order())


def _check_inputs(node: Node) -> None:
    for port in node.definition.inputs:
        if not port.required or port.name in node.sources or port.name in node.bound:
            continue
        if port.external:
            fix = f"Give it with graph.bind({node.id!r}, {port.name!r}, value), or --in {node.id}=FILE."
            raise GraphError(node.id, port.name, f"{node.definition.name} was not given its {port.kind}", fix)
        fix = f"Connect an output of type {port.kind} to {node.id}.{port.name}."
        raise GraphError(node.id, port.name, f"{node.definition.name} needs this input", fix)
