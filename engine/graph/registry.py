"""The types of node that graphs may use."""

from collections.abc import Iterable, Iterator

from engine.graph.definition import NodeDefinition
from engine.graph.errors import GraphError


class Registry:
    """Definitions by name, in the order of registration."""

    def __init__(self, *families: Iterable[NodeDefinition]) -> None:
        """
        Raises:
            GraphError: a name appears twice.
        """
        self._found: dict[str, NodeDefinition] = {}
        for family in families:
            for definition in family:
                self.add(definition)

    def add(self, definition: NodeDefinition) -> None:
        """Make a type of node known.

        Raises:
            GraphError: its name is taken; the one that has it stays.
        """
        if definition.name in self._found:
            raise GraphError(definition.name, "", "is registered already", "Give the new type of node another name.")
        self._found[definition.name] = definition

    def get(self, name: str, node: str = "") -> NodeDefinition:
        """A definition by name.

        Args:
            name: of the type of node.
            node: id of the node that asks, for the error.

        Raises:
            GraphError: there is none.
        """
        found = self._found.get(name)
        if found is None:
            raise GraphError(node or name, "", f"{name[:64]!r} is no type of node", "See demon graph list.")
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[NodeDefinition]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)
