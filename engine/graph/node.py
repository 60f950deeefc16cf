"""One node of a graph."""

from dataclasses import dataclass, field

from engine.graph.definition import NodeDefinition, ParamValue


@dataclass(eq=False)
class Node:
    """A type of node with its parameters set and its inputs connected or bound.

    Attributes:
        id: its name within the graph.
        definition: its type.
        params: every parameter, by name.
        sources: (node id, output) that an input is connected to, by input.
        bound: value that the graph's user gave to an input, by input.
    """

    id: str
    definition: NodeDefinition
    params: dict[str, ParamValue]
    sources: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    bound: dict[str, object] = field(default_factory=dict[str, object])

    @property
    def parents(self) -> set[str]:
        """Ids of the nodes that it reads."""
        return {node for node, _ in self.sources.values()}
