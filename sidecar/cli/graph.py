"""`demon graph`: list the types of node, show a graph, run one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.output import OUT, CommandError, print_json, progress

if TYPE_CHECKING:
    from engine.graph import Graph, NodeDefinition
    from sidecar.cli.graph_audio import Tape

app = typer.Typer(help="Graphs of the engine's operations: list, show, run.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Setting = Annotated[list[str] | None, typer.Option("--set", metavar="NODE.PARAM=VALUE", help="In place of the file's.")]


@app.command("list")
def list_nodes(
    json: Json = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="The table of docs/graph.md.")] = False,
) -> None:
    """List every type of node: inputs, outputs, parameters with defaults and ranges."""
    from engine.graph import NODES
    from engine.graph.table import markdown as table
    from engine.graph.table import rows

    if json:
        print_json({"nodes": [_definition(definition) for definition in NODES]})
    elif markdown:
        OUT.out(table(NODES), end="")
    else:
        from rich.table import Table

        shown = Table("node", "inputs", "outputs", "parameters", box=None, pad_edge=False)
        for row in rows(NODES):
            shown.add_row(*row)
        OUT.print(shown, markup=False, soft_wrap=False)
        OUT.print("? may stay open. * beyond the catalogue's 32.", markup=False)


@app.command()
def show(what: Annotated[str, typer.Argument(help="A graph file, or the name of a type of node.")]) -> None:
    """Show a graph file, checked, or one type of node in full."""
    from engine.graph import NODES
    from engine.graph.table import describe

    if what in NODES:
        OUT.print(describe(NODES.get(what)), markup=False)
        return
    with _load(Path(what), {}) as graph:
        about = "".join(letter if letter.isprintable() else " " for letter in graph.about)  # it may be anyone's text
        OUT.print(f"{what}: {about or 'a graph'}", markup=False)
        for node in graph.nodes.values():
            reads = ", ".join(f"{name} from {'.'.join(source)}" for name, source in node.sources.items())
            defaults = node.definition.defaults()
            own = ", ".join(f"{name} = {value!r}" for name, value in node.params.items() if value != defaults[name])
            parts = [part for part in (f"reads {reads}" if reads else "", own) if part]
            OUT.print(
                f"  {node.id} ({node.definition.name})" + (": " if parts else "") + "; ".join(parts), markup=False
            )


@app.command()
def run(
    file: Annotated[Path, typer.Argument(help="A graph as JSON (docs/graph.md).")],
    given: Annotated[list[str] | None, typer.Option("--in", metavar="NODE=FILE", help="Audio of an input.")] = None,
    wanted: Annotated[list[str] | None, typer.Option("--out", metavar="NODE=FILE", help="WAV of an output.")] = None,
    settings: Setting = None,
    ticks: Annotated[int, typer.Option(min=1, max=1_000_000, help="Runs; a streaming graph ticks once in each.")] = 1,
    json: Json = False,
) -> None:
    """Run a graph. Audio comes in and goes out by the ids of its AudioInput and AudioOutput nodes."""
    from sidecar.cli.graph_audio import bind_inputs, output_paths

    with _load(file, _pairs("--set", settings)) as graph:
        bind_inputs(graph, {node: Path(path) for node, path in _pairs("--in", given).items()})
        outputs = output_paths(graph, {node: Path(path) for node, path in _pairs("--out", wanted).items()})
        tape = _play(graph, ticks)
        written = tape.write(outputs)
    if json:
        print_json({"outputs": written, "results": tape.results})
        return
    for node, path in outputs.items():
        OUT.print(f"{path}: {written[node]['seconds']:g} s", markup=False)
    for node, text in tape.results.items():
        OUT.print(f"{node}: {text}", markup=False)


def _play(graph: "Graph", ticks: int) -> "Tape":
    from sidecar.cli.graph_audio import Tape

    tape = Tape(graph)
    with progress() as bar:
        task = bar.add_task("starting", total=float(ticks))
        for tick in range(ticks):

            def running(node: str, done: int, total: int, tick: int = tick) -> None:
                bar.update(task, description=node, completed=tick + done / total)

            tape.take(graph.run(progress=running))
            bar.update(task, completed=tick + 1.0)
    return tape


def _load(path: Path, settings: dict[str, str]) -> "Graph":
    from engine.graph import loads
    from engine.graph.document import MAX_BYTES

    if not path.is_file():
        raise CommandError(f"{path}: no such file or type of node", "see demon graph list, or docs/graph.md", 2)
    try:
        with path.open("rb") as opened:
            text = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", "check the file", 2) from error
    return loads(text, settings=settings)


def _pairs(option: str, values: list[str] | None) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for value in values or []:
        name, equals, rest = value.partition("=")
        if not (name and equals and rest):
            raise CommandError(f"{option} {value} names no value", f"write {option} NAME=VALUE", 2)
        if name in pairs:
            raise CommandError(f"{option} {name} is given twice", "give it once", 2)
        pairs[name] = rest
    return pairs


def _definition(definition: "NodeDefinition") -> dict[str, object]:
    return {
        "name": definition.name,
        "family": definition.family,
        "help": definition.help,
        "own": definition.own,
        "inputs": [
            {"name": port.name, "type": port.kind, "required": port.required, "help": port.help}
            for port in definition.inputs
        ],
        "outputs": [{"name": port.name, "type": port.kind} for port in definition.outputs],
        "params": [
            {
                "name": param.name,
                "type": param.kind.__name__,
                "default": param.default,
                "range": [param.low, param.high] if param.is_bounded else None,
                "choices": list(param.choices),
                "help": param.help,
            }
            for param in definition.params
        ],
    }
