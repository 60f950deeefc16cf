"""Graphs as JSON.

    {"format": "demon-graph", "version": 1, "about": "...",
     "nodes": [{"id": "ramp", "type": "CurveRamp", "params": {"end": 2.0}},
               {"id": "half", "type": "CurveMath", "inputs": {"curve_a": "ramp.curve"}}]}

A graph file is not trusted: its size is bounded, every field is checked as if it were typed, and what names something
on this machine or in the net comes from whoever runs it, not from the file.
"""

from collections.abc import Mapping
from reprlib import repr as short_repr
from typing import Any, Final

import msgspec

from engine.graph.errors import GraphError
from engine.graph.graph import MAX_NODES, Graph
from engine.graph.nodes import NODES
from engine.graph.registry import Registry

FORMAT: Final = "demon-graph"
VERSION: Final = 1
MAX_BYTES: Final = 1 << 20  # a thousand nodes with a kilobyte each


class _Header(msgspec.Struct):
    format: str
    version: int


class _Node(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    id: str
    type: str
    params: dict[str, bool | int | float | str] = {}
    inputs: dict[str, str] = {}


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    version: int
    nodes: list[_Node]
    about: str = ""


def dumps(graph: Graph) -> str:
    """A graph as JSON text, with every parameter, so that it means the same where defaults have changed.

    What is bound is not part of it.
    """
    nodes = [
        _Node(
            id=node.id,
            type=node.definition.name,
            params=dict(node.params),
            inputs={name: ".".join(source) for name, source in node.sources.items()},
        )
        for node in graph.nodes.values()
    ]
    document = _Document(format=FORMAT, version=VERSION, nodes=nodes, about=graph.about)
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def loads(
    text: str | bytes,
    *,
    settings: Mapping[str, str] | None = None,
    trusted: bool = False,
    registry: Registry = NODES,
) -> Graph:
    """The graph that a JSON text describes.

    Args:
        text: up to 1 MiB.
        settings: values as a person types them, by "node.parameter", in place of the text's.
        trusted: the text may choose checkpoints and folders; otherwise only `settings` may.
        registry: the types of node that it may use.

    Raises:
        GraphError: not such a document, of another version, or a node, parameter or connection is wrong.
    """
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise GraphError("", "", f"takes {len(data)} bytes", f"Keep it within {MAX_BYTES}.")
    document = _parse(data)
    if len(document.nodes) > MAX_NODES:
        raise GraphError("", "", f"has {len(document.nodes)} nodes", f"Keep it within {MAX_NODES}.")
    typed = _typed(settings or {}, document)
    graph = Graph(document.about, registry)
    for node in document.nodes:
        params = _params(node, typed.get(node.id, {}), registry, trusted)
        graph.add(node.id, node.type, **params)
    for node in document.nodes:
        for name, source in node.inputs.items():
            graph.connect(source, f"{node.id}.{name}")
    return graph


def _parse(data: bytes) -> _Document:
    try:
        header = msgspec.json.decode(data, type=_Header)
        if header.format != FORMAT:
            raise GraphError("", "", f"has the format {header.format[:40]!r}", f"Load a {FORMAT} document.")
        if header.version != VERSION:
            problem = f"has version {header.version}, and this program knows {VERSION}"
            raise GraphError("", "", problem, "Update DEMON Bridge, or save the graph with the older one.")
        return msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise GraphError("", "", f"cannot be read: {error}", "Compare it with docs/graph.md.") from error


def _typed(settings: Mapping[str, str], document: _Document) -> dict[str, dict[str, str]]:
    typed: dict[str, dict[str, str]] = {}
    known = {node.id for node in document.nodes}
    for name, value in settings.items():
        node, _, param = name.partition(".")
        if node not in known or not param:
            raise GraphError(name, "", "names no parameter of this graph", "Write node.parameter=value.")
        typed.setdefault(node, {})[param] = value
    return typed


def _params(node: _Node, typed: Mapping[str, str], registry: Registry, trusted: bool) -> dict[str, Any]:
    definition = registry.get(node.type, node.id)
    params: dict[str, Any] = dict(node.params)
    for name, value in params.items():
        param = definition.param(node.id, name)
        if param.local and not trusted and name not in typed and value != param.default:
            fix = f"If you trust it, set it yourself: --set {node.id}.{name}=VALUE."
            raise GraphError(node.id, name, f"a graph file may not choose {short_repr(value)}", fix)
    return params | {name: definition.param(node.id, name).parse(node.id, value) for name, value in typed.items()}
