"""Reading a node's declaration off the signature of what it runs.

The signature is the declaration: a name, a type, a default or a range stands nowhere else, and what runs cannot read
anything that is not declared, because nothing else is passed to it.
"""

import inspect
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Final, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from engine.graph.definition import Body, NodeDefinition, NodeParam, NodePort, ParamValue
from engine.graph.errors import GraphError
from engine.graph.values import PORT_TYPES, NoOutput

_NODE_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
_KINDS: Final = (bool, int, float, str)

F = TypeVar("F", bound=Callable[..., object])
C = TypeVar("C", bound=type[Body])


@dataclass(frozen=True, kw_only=True)
class _Port:
    help: str
    external: bool
    keeps: bool


@dataclass(frozen=True, kw_only=True)
class _Param:
    help: str
    default: ParamValue
    low: float
    high: float
    choices: tuple[str, ...]
    hidden: bool
    local: bool


def port(help: str, *, external: bool = False, keeps: bool = False) -> _Port:  # noqa: A002 - as argparse and typer do
    """Annotate an input: `latent: Annotated[Latent, port("What is decoded.")]`; with `| None` it may stay open.

    See NodePort for the fields.
    """
    return _Port(help=help, external=external, keeps=keeps)


def param(
    default: ParamValue,
    help: str,  # noqa: A002 - as argparse and typer do
    *,
    low: float = -float("inf"),
    high: float = float("inf"),
    choices: tuple[str, ...] = (),
    hidden: bool = False,
    local: bool = False,
) -> _Param:
    """Annotate a parameter: `alpha: Annotated[float, param(0.5, "Share of b.", low=0.0, high=1.0)]`.

    See NodeParam for the fields.
    """
    return _Param(help=help, default=default, low=low, high=high, choices=choices, hidden=hidden, local=local)


class Family:
    """The types of node that one file declares."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._definitions: list[NodeDefinition] = []

    def __iter__(self) -> Iterator[NodeDefinition]:
        return iter(self._definitions)

    def node(self, name: str, *, own: bool = False) -> Callable[[F], F]:
        """Declare a function as a node. Its docstring's first paragraph is the node's help.

        Every parameter is annotated with `port` or `param` and has no default of its own. The result is annotated with
        the class of a port's type, or with a NamedTuple of such, whose fields are then the outputs.

        Args:
            name: what graphs call it.
            own: it is none of the operations of the appendix of DEMON's catalogue.

        Raises:
            GraphError: the signature is no declaration; names the node and the parameter.
        """

        def declare(function: F) -> F:
            self._definitions.append(_read(name, self.name, function, function, own))
            return function

        return declare

    def stateful(self, name: str, *, own: bool = False) -> Callable[[C], C]:
        """Declare a class as a node that keeps something between runs; its `execute` is the declaration.

        Raises:
            GraphError: as `node`.
        """

        def declare(cls: C) -> C:
            definition = _read(name, self.name, cls.execute, cls, own)
            self._definitions.append(replace(definition, open=cls, live=cls.live))
            return cls

        return declare


class _Plain:
    """The body of a node that keeps nothing."""

    live: ClassVar[bool] = False

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def execute(self, *args: Any, **kwargs: Any) -> object:
        return self._function(*args, **kwargs)

    def close(self) -> None:
        """Nothing to let go of."""


def _read(name: str, family: str, function: Callable[..., object], documented: object, own: bool) -> NodeDefinition:
    if not _NODE_NAME.fullmatch(name):
        raise GraphError(name, "", "is no name for a node", "Use letters and digits, the first one a capital.")
    hints = get_type_hints(function, include_extras=True)
    inputs: list[NodePort] = []
    params: list[NodeParam] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        item = _declared(name, parameter, hints.get(parameter.name))
        if isinstance(item, NodePort):
            inputs.append(item)
        else:
            params.append(item)
    return NodeDefinition(
        name=name,
        family=family,
        help=_help(name, inspect.getdoc(documented)),
        inputs=tuple(inputs),
        outputs=_outputs(name, hints.get("return")),
        params=tuple(params),
        open=lambda: _Plain(function),
        own=own,
    )


def _declared(node: str, parameter: inspect.Parameter, hint: object) -> NodePort | NodeParam:
    if parameter.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
        raise GraphError(node, parameter.name, "takes what is not declared", "Name every parameter; no * and no **.")
    if parameter.default is not inspect.Parameter.empty:
        raise GraphError(node, parameter.name, "has a default of its own", "Declare the default with param(...).")
    base, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    marks = [mark for mark in marks if isinstance(mark, (_Port, _Param))]
    if len(marks) != 1:
        raise GraphError(node, parameter.name, "is not declared", "Annotate it with one port(...) or one param(...).")
    (mark,) = marks
    if not mark.help.strip():
        raise GraphError(node, parameter.name, "has no help", "Say in one line what it is.")
    return (
        _port(node, parameter.name, base, mark) if isinstance(mark, _Port) else _param(node, parameter.name, base, mark)
    )


def _port(node: str, name: str, base: object, mark: _Port) -> NodePort:
    choices = [choice for choice in _alternatives(base) if choice is not NoneType]
    cls = _port_class(node, name, choices[0] if len(choices) == 1 else base)
    return NodePort(
        name=name,
        kind=PORT_TYPES[cls],
        cls=cls,
        help=mark.help,
        required=NoneType not in _alternatives(base),
        external=mark.external,
        keeps=mark.keeps,
    )


def _param(node: str, name: str, base: object, mark: _Param) -> NodeParam:
    if not any(base is kind for kind in _KINDS):
        raise GraphError(node, name, f"cannot be a parameter of type {base!r}", "Use bool, int, float or str.")
    if (base is int or base is float) and not (math.isfinite(mark.low) and math.isfinite(mark.high)):
        raise GraphError(node, name, "has no range", "Declare low and high.")
    made = NodeParam(
        name=name,
        kind=cast(type[bool] | type[int] | type[float] | type[str], base),
        default=mark.default,
        help=mark.help,
        low=mark.low,
        high=mark.high,
        choices=mark.choices,
        hidden=mark.hidden,
        local=mark.local,
    )
    return replace(made, default=made.coerce(node, mark.default))


def _outputs(node: str, hint: object) -> tuple[NodePort, ...]:
    choices = [choice for choice in _alternatives(hint) if choice is not NoOutput]
    if len(choices) != 1:
        raise GraphError(node, "return", "is not declared", "Annotate the result with the class of one type of port.")
    (cls,) = choices
    fields: dict[str, Any] = get_type_hints(cls) if hasattr(cls, "_fields") else {}
    if fields:
        return tuple(_output(node, name, part) for name, part in fields.items())
    kind = PORT_TYPES[_port_class(node, "return", cls)]
    return (_output(node, "value" if cls is object else kind.lower(), cls),)


def _output(node: str, name: str, cls: object) -> NodePort:
    known = _port_class(node, name, cls)
    return NodePort(name=name, kind=PORT_TYPES[known], cls=known, help="")


def _port_class(node: str, name: str, cls: object) -> type[object]:
    if not isinstance(cls, type) or cls not in PORT_TYPES:
        known = ", ".join(known.__name__ for known in PORT_TYPES)
        raise GraphError(node, name, f"{cls!r} is no type of port", f"Use one of {known}.")
    return cls


def _alternatives(hint: object) -> tuple[object, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _help(node: str, text: str | None) -> str:
    first = (text or "").strip().partition("\n\n")[0]
    if not first:
        raise GraphError(node, "", "has no help", "Write a docstring.")
    return " ".join(first.split())
