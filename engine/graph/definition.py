"""What a type of node declares: its ports, its parameters and what it runs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol, TypeAlias, TypeVar

from engine.graph.errors import GraphError
from engine.graph.values import NO_OUTPUT

ParamValue: TypeAlias = bool | int | float | str
T = TypeVar("T")

ANY: Final = "ANY"
MAX_TEXT: Final = 10_000  # characters of a text parameter: more than the model's 2048 tokens of lyrics
_SHOWN: Final = 8  # choices that a table has room for
_WORDS: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


@dataclass(frozen=True, kw_only=True)
class NodePort:
    """An input or an output.

    Attributes:
        name: as in the signature of what the node runs.
        kind: name of what travels, a value of PORT_TYPES. A connection needs equal names, or ANY at one end.
        cls: the class of what travels.
        help: one line.
        required: an input that has to be connected or bound before anything runs.
        external: an input that takes no connection, only what the graph's user binds.
        keeps: an input that is given the newest value it ever received while nothing new arrives.
    """

    name: str
    kind: str
    cls: type[object]
    help: str
    required: bool = True
    external: bool = False
    keeps: bool = False

    def accepts(self, other: "NodePort") -> bool:
        """Whether an output may be connected here."""
        return self.kind == other.kind or ANY in (self.kind, other.kind)


@dataclass(frozen=True, kw_only=True)
class NodeParam:
    """A value that is set, not connected.

    Attributes:
        name: as in the signature of what the node runs.
        kind: bool, int, float or str.
        default: what holds until something is set.
        help: one line.
        low, high: accepted range of a number, inclusive; both finite.
        choices: accepted texts, or empty for any text of up to MAX_TEXT characters.
        hidden: set by programs rather than by people; left out of tables.
        local: names something on this machine or in the net; a graph file alone cannot set it.
    """

    name: str
    kind: type[bool] | type[int] | type[float] | type[str]
    default: ParamValue
    help: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    hidden: bool = False
    local: bool = False

    def coerce(self, node: str, value: object) -> ParamValue:
        """The value as this parameter's kind. Whole floats are ints and ints are floats; nothing else changes kind.

        Raises:
            GraphError: another kind, not finite or out of range; names the node, the parameter, the value and the fix.
        """
        if self.kind is str:
            return self._text(node, value)
        if self.kind is bool:
            if not isinstance(value, bool):
                raise self._refused(node, value, "is neither true nor false", "Set it to true or false.")
            return value
        return self._number(node, value)

    def parse(self, node: str, text: str) -> ParamValue:
        """The value that a person typed.

        Raises:
            GraphError: as `coerce`.
        """
        if self.kind is str:
            return self.coerce(node, text)
        if self.kind is bool:
            return self.coerce(node, _WORDS.get(text.strip().lower(), text))
        try:
            return self.coerce(node, int(text) if self.kind is int else float(text))
        except ValueError as error:
            if isinstance(error, GraphError):
                raise
            raise self._refused(node, text, f"is not {self._wanted()}", f"Set it to {self._wanted()}.") from None

    @property
    def is_bounded(self) -> bool:
        """Whether it is a number with a range."""
        return self.kind in (int, float) and not (math.isinf(self.low) or math.isinf(self.high))

    def describe(self) -> str:
        """Default and range in one line, such as "0.5 [0 .. 1]"."""
        shown = "on" if self.default is True else "off" if self.default is False else _short(self.default)
        if len(self.choices) > _SHOWN:
            return f"{shown} ({len(self.choices)} choices)"
        if self.choices:
            return f"{shown} ({', '.join(choice or _short(choice) for choice in self.choices)})"
        if not self.is_bounded:
            return shown
        return f"{shown} [{_bound(self.low)} .. {_bound(self.high)}]"

    def _text(self, node: str, value: object) -> str:
        if not isinstance(value, str):
            raise self._refused(node, value, "is not text", "Set it to a text.")
        if self.choices and value not in self.choices:
            raise self._refused(node, value, "is not known", f"Use one of {', '.join(self.choices)}.")
        if len(value) > MAX_TEXT:
            raise self._refused(node, value, f"has {len(value)} characters", f"Keep it within {MAX_TEXT}.")
        return value

    def _number(self, node: str, value: object) -> int | float:
        fix = f"Set it to {self._wanted()}."
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refused(node, value, f"is not {self._wanted()}", fix)
        if isinstance(value, float) and not (value.is_integer() if self.kind is int else math.isfinite(value)):
            raise self._refused(node, value, f"is not {self._wanted()}", fix)
        if not self.low <= value <= self.high:
            raise self._refused(
                node, value, "is out of range", f"Keep it between {_bound(self.low)} and {_bound(self.high)}."
            )
        return int(value) if self.kind is int else float(value)

    def _wanted(self) -> str:
        return "a whole number" if self.kind is int else "a finite number"

    def _refused(self, node: str, value: object, problem: str, fix: str) -> GraphError:
        return GraphError(node, self.name, f"{_short(value)} {problem}", fix)


class Body(Protocol):
    """What runs a node: made when the node first runs, closed with its graph.

    Attributes:
        live: runs in every run, even if nothing it reads has changed.
    """

    live: ClassVar[bool]

    def execute(self, *args: Any, **kwargs: Any) -> object:
        """Gets every input and parameter by name, and nothing else; its signature is the node's declaration."""
        ...

    def close(self) -> None:
        """Let go of what is kept between runs. Safe to call twice."""
        ...


@dataclass(frozen=True, eq=False, kw_only=True)
class NodeDefinition:
    """A type of node. `engine.graph.declare.Family.node` reads it off a signature.

    Attributes:
        name: what graphs call it.
        family: the group it is listed in.
        help: what it does.
        inputs, outputs, params: everything that it reads and gives.
        open: makes what runs it; called once per node and graph.
        live: runs in every run, even if nothing it reads has changed.
        own: is no operation of the appendix of DEMON's catalogue, but ours.
    """

    name: str
    family: str
    help: str
    inputs: tuple[NodePort, ...]
    outputs: tuple[NodePort, ...]
    params: tuple[NodeParam, ...]
    open: Callable[[], Body]
    live: bool = False
    own: bool = False
    _input: Mapping[str, NodePort] = field(init=False, repr=False)
    _output: Mapping[str, NodePort] = field(init=False, repr=False)
    _param: Mapping[str, NodeParam] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for name, items in (("_input", self.inputs), ("_output", self.outputs), ("_param", self.params)):
            object.__setattr__(self, name, {item.name: item for item in items})

    def input(self, node: str, name: str) -> NodePort:
        """An input by name.

        Raises:
            GraphError: there is none.
        """
        return _find(self._input, node, name, f"{self.name} has no such input")

    def output(self, node: str, name: str) -> NodePort:
        """An output by name.

        Raises:
            GraphError: there is none.
        """
        return _find(self._output, node, name, f"{self.name} has no such output")

    def param(self, node: str, name: str) -> NodeParam:
        """A parameter by name.

        Raises:
            GraphError: there is none.
        """
        return _find(self._param, node, name, f"{self.name} has no such parameter")

    def defaults(self) -> dict[str, ParamValue]:
        """Every parameter at its default."""
        return {param.name: param.default for param in self.params}

    def pack(self, node: str, result: object) -> dict[str, object]:
        """What an execution returned, by output.

        Raises:
            GraphError: it returned what it does not declare.
        """
        if result is NO_OUTPUT:
            return {port.name: NO_OUTPUT for port in self.outputs}
        values = tuple(getattr(result, port.name) for port in self.outputs) if len(self.outputs) > 1 else (result,)
        for port, value in zip(self.outputs, values, strict=True):
            if not isinstance(value, port.cls):
                problem = f"{self.name} returned {type(value).__name__} where it declares {port.kind}"
                raise GraphError(node, port.name, problem, "Correct the node's code.")
        return {port.name: value for port, value in zip(self.outputs, values, strict=True)}


def _find(found: Mapping[str, T], node: str, name: str, problem: str) -> T:
    if name not in found:
        fix = f"Use {', '.join(found)}." if found else "Leave it out."
        raise GraphError(node, name, problem, fix)
    return found[name]


def _short(value: object) -> str:
    # repr, so that a text from a file cannot send control codes to a terminal
    text = f'"{repr(value[:60])[1:-1]}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f"{text[:56]}..."


def _bound(value: float) -> str:
    return f"{value}" if isinstance(value, int) else f"{value:g}"
