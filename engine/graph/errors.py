"""What is wrong with a graph."""

from reprlib import repr as short_repr

from engine.errors import EngineError


class GraphError(EngineError, ValueError):
    """A graph, a node's declaration or a value given to a node cannot be used. Nothing was changed.

    Attributes:
        node: id of the node, or the name of a type of node; empty where the whole graph is meant.
        field: input, output or parameter; empty where the whole node is meant.
    """

    code = "bad_graph"

    def __init__(self, node: str, field: str, problem: str, fix: str) -> None:
        where = ".".join(short_repr(part)[1:-1] for part in (node, field) if part)
        super().__init__(f"{where}: {problem}." if where else f"The graph {problem}.", fix)
        self.node = node
        self.field = field
