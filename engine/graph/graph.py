"""A graph: nodes, their parameters and what they read."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engine.closing import Closing
from engine.graph.errors import GraphError
from engine.graph.executor import Executor, Outputs, Progress
from engine.graph.node import Node
from engine.graph.nodes import NODES
from engine.graph.registry import Registry

MAX_NODES: Final = 1000  # two orders above the largest graph that the 32 operations suggest

_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class Graph(Closing):
    """Nodes that are connected by typed ports. One thread at a time may use a graph.

    with Graph() as graph:
        graph.add("ramp", "CurveRamp", length=400)
        graph.add("half", "CurveMath", operation="multiply")
        graph.connect("ramp.curve", "half.curve_a")
        curve = graph.run("half")["half"]["curve"]

    Attributes:
        about: what it is for, one line.
    """

    def __init__(self, about: str = "", registry: Registry = NODES) -> None:
        """
        Args:
            about: what it is for, one line.
            registry: the types of node that it may use.
        """
        self.about = about
        self._registry = registry
        self._nodes: dict[str, Node] = {}
        self._executor = Executor()
        self._closed = False

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The nodes by id, in the order in which they were added. Read only; change them through the graph."""
        return MappingProxyType(self._nodes)

    def add(self, node: str, kind: str, /, **params: object) -> None:
        """Add a node.

        Args:
            node: its id: a letter, then letters, digits, - and _; up to 64.
            kind: name of its type.
            params: parameters that are not to have their defaults.

        Raises:
            GraphError: the id is taken or no id, the type unknown, a parameter wrong, or the graph full; nothing was
                added.
        """
        self._check_open()
        if not _ID.fullmatch(node):
            raise GraphError(node, "", "is no id for a node", "Use a letter, then letters, digits, - and _, up to 64.")
        if node in self._nodes:
            raise GraphError(node, "", "is the id of two nodes", "Give one of them another id.")
        if len(self._nodes) >= MAX_NODES:
            raise GraphError("", "", f"has more than {MAX_NODES} nodes", "Split it.")
        definition = self._registry.get(kind, node)
        given = {name: definition.param(node, name).coerce(node, value) for name, value in params.items()}
        self._nodes[node] = Node(node, definition, definition.defaults() | given)

    def connect(self, source: str, target: str) -> None:
        """Let an input read an output.

        Args:
            source: "node.output"; "node" alone where it has one output.
            target: "node.input".

        Raises:
            GraphError: a node or port is unknown, the types differ, the input is taken, or the connection would close
                a circle; nothing was connected.
        """
        self._check_open()
        giver, output = self._end(source, output=True)
        reader, name = self._end(target, output=False)
        wanted, given = reader.definition.input(reader.id, name), giver.definition.output(giver.id, output)
        if wanted.external:
            raise GraphError(reader.id, name, "takes no connection", "Bind it when the graph runs.")
        if not wanted.accepts(given):
            fix = f"Connect an output of type {wanted.kind}."
            raise GraphError(reader.id, name, f"takes {wanted.kind}, but {giver.id}.{output} is {given.kind}", fix)
        if name in reader.sources or name in reader.bound:
            raise GraphError(reader.id, name, "has a value already", "Connect or bind every input once.")
        circle = self._path(reader.id, giver.id)
        if circle:
            problem = f"would read itself: {' -> '.join([*circle, reader.id])}"
            raise GraphError(reader.id, name, problem, "Leave one of these connections out.")
        reader.sources[name] = (giver.id, output)

    def set(self, node: str, param: str, value: object) -> None:
        """Set a parameter. The next run repeats what lies behind it.

        Raises:
            GraphError: the node or parameter is unknown or the value wrong; nothing was set.
        """
        self._check_open()
        found = self._node(node)
        found.params[param] = found.definition.param(node, param).coerce(node, value)

    def bind(self, node: str, name: str, value: object) -> None:
        """Give an input a value from outside the graph, in place of the one it was bound to before.

        Raises:
            GraphError: the node or input is unknown or connected, or the value is of another class.
        """
        self._check_open()
        found = self._node(node)
        wanted = found.definition.input(node, name)
        if name in found.sources:
            raise GraphError(node, name, "is connected", "Bind an input that nothing is connected to.")
        if not isinstance(value, wanted.cls):
            problem = f"takes {wanted.cls.__name__}, not {type(value).__name__}"
            raise GraphError(node, name, problem, f"Pass an engine.graph.{wanted.cls.__name__}.")
        found.bound[name] = value

    def run(self, *wanted: str, progress: Progress | None = None) -> dict[str, Outputs]:
        """Run nodes and everything that they need. What has not changed since the last run is not repeated.

        Args:
            wanted: ids; none at all means every node that nothing reads.
            progress: called before each node.

        Returns:
            For each wanted node its outputs by name. An output may be NO_OUTPUT: nothing new in this run.

        Raises:
            GraphError: an id is unknown, or an input is missing (nothing has run); or a node failed.
        """
        self._check_open()
        names = [self._node(name).id for name in wanted] or self._ends()
        return self._executor.run(self._nodes, list(dict.fromkeys(names)), progress)

    def close(self) -> None:
        """Close sessions and streams that nodes opened, and forget every result. Safe to call twice."""
        self._closed = True
        self._executor.close()

    def _node(self, name: str) -> Node:
        if name not in self._nodes:
            known = ", ".join(list(self._nodes)[:20]) or "none yet"
            raise GraphError(name, "", "is no node of this graph", f"Its nodes: {known}.")
        return self._nodes[name]

    def _end(self, text: str, *, output: bool) -> tuple[Node, str]:
        name, _, port = text.partition(".")
        node = self._node(name)
        if not port and output and len(node.definition.outputs) == 1:
            return node, node.definition.outputs[0].name
        if not port:
            what = "output" if output else "input"
            raise GraphError(name, "", f"names no {what}", f"Write node.{what}.")
        return node, port

    def _ends(self) -> list[str]:
        read = {parent for node in self._nodes.values() for parent in node.parents}
        return [name for name in self._nodes if name not in read]

    def _path(self, start: str, end: str) -> list[str]:
        """Ids from one node along connections to another, or none."""
        reached_from: dict[str, str | None] = {end: None}
        waiting = [end]
        while waiting and start not in reached_from:
            name = waiting.pop()
            for parent in sorted(self._nodes[name].parents - reached_from.keys()):
                reached_from[parent] = name
                waiting.append(parent)
        path: list[str] = []
        step: str | None = start if start in reached_from else None
        while step is not None:
            path.append(step)
            step = reached_from[step]
        return path

    def _check_open(self) -> None:
        if self._closed:
            raise GraphError("", "", "is closed", "Make or load it again.")
