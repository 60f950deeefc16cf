"""The types of node as a table, for people."""

from collections.abc import Iterable

from engine.graph.definition import NodeDefinition


def rows(definitions: Iterable[NodeDefinition]) -> list[tuple[str, str, str, str]]:
    """Name, inputs, outputs and parameters of every type of node; `?` marks an input that may stay open.

    Hidden parameters are left out.
    """
    return [
        (
            definition.name + ("*" if definition.own else ""),
            ", ".join(f"{port.name}{'' if port.required else '?'} {port.kind}" for port in definition.inputs),
            ", ".join(f"{port.name} {port.kind}" for port in definition.outputs),
            "; ".join(f"{param.name} {param.describe()}" for param in definition.params if not param.hidden),
        )
        for definition in definitions
    ]


def markdown(definitions: Iterable[NodeDefinition]) -> str:
    """The same as a Markdown table."""
    found = [("node", "inputs", "outputs", "parameters"), ("---", "---", "---", "---"), *rows(definitions)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in found) + "\n"


def describe(definition: NodeDefinition) -> str:
    """One type of node in full: what it does, every input, output and parameter, hidden ones too."""
    lines = [f"{definition.name} ({definition.family}): {definition.help}"]
    for port in definition.inputs:
        open_ = "" if port.required else ", may stay open"
        lines.append(f"  input   {port.name}: {port.kind}{open_}. {port.help}")
    lines += [f"  output  {port.name}: {port.kind}" for port in definition.outputs]
    for param in definition.params:
        mark = ", not from a file" if param.local else ""
        lines.append(f"  param   {param.name} = {param.describe()}{mark}. {param.help}")
        if len(param.choices) > param.describe().count(",") + 1:
            lines.append(f"            {', '.join(param.choices)}")
    return "\n".join(lines)
