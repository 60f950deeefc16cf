"""`demon presets`: the factory's and the user's; in a running plugin, in files, and in hosts' own lists."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sidecar.cli.output import ERR, OUT, CommandError, print_json

if TYPE_CHECKING:
    from plugin_bridge.presets import Published
    from sidecar.preset import Preset

app = typer.Typer(help="List, save, load and exchange presets.", invoke_without_command=True)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Name = Annotated[str, typer.Argument(help="Name or id of a preset, or a .json file.")]
Instance = Annotated[
    str | None, typer.Option(help="Which instance, by the start of its id.", show_default="the only one")
]
Vst3Dir = Annotated[Path | None, typer.Option("--vst3-dir", help="VST3 plugin folder.", show_default="~/.vst3")]
Replace = Annotated[bool, typer.Option("--replace", help="Put it in the place of yours of that name.")]


@app.callback()
def presets(context: typer.Context, json: Json = False) -> None:
    """List, save, load and exchange presets. Without a command: list."""
    if context.invoked_subcommand is None:
        list_presets(json=json)


@app.command("list")
def list_presets(json: Json = False) -> None:
    """List the factory presets and yours."""
    from sidecar import library

    mine, problems = library.user()
    found = [*library.factory(), *mine]
    if json:
        print_json({"presets": [_said(preset) for preset in found], "problems": [str(problem) for problem in problems]})
        return
    table = Table("name", "from", "tags", "description", box=None, pad_edge=False)
    for preset in found:
        about = preset.about
        table.add_row(about.name, preset.id.partition("/")[0], ", ".join(about.tags), about.description)
    OUT.print(table)
    for problem in problems:
        ERR.print(f"left out: {problem}", markup=False)


@app.command()
def show(name: Name) -> None:
    """Print a preset's file."""
    from sidecar.cli import library

    OUT.print(library.find(name).path.read_text("utf-8"), markup=False, end="")


@app.command()
def load(name: Name, instance: Instance = None, json: Json = False) -> None:
    """Put a preset in force in a running plugin."""
    from sidecar.cli import library
    from sidecar.cli.control import choose
    from sidecar.client import Client

    preset = library.find(name)
    with Client(timeout_s=60.0) as client:
        entry = choose(client.instances(), instance)
        version = client.set_state(entry.instance, preset.changes)
    if json:
        print_json({"instance": entry.instance, "preset": preset.id, "version": version})
    else:
        OUT.print(f"{entry.instance}: {preset.about.name}, control version {version}", markup=False)


@app.command()
def save(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    instance: Instance = None,
    tags: Annotated[str, typer.Option(help="Words to find it by, with commas between.")] = "",
    description: Annotated[str, typer.Option(help="What it does.")] = "",
    author: Annotated[str, typer.Option(help="Who made it.")] = "",
    replace: Replace = False,
) -> None:
    """Keep the sound of a running plugin as a preset of yours."""
    from sidecar import library
    from sidecar.cli.control import choose
    from sidecar.client import Client

    words = [word.strip() for word in tags.split(",") if word.strip()]
    said = {"name": name, "tags": words, "description": description, "author": author, "replace": replace}
    with Client(timeout_s=60.0) as client:
        entry = choose(client.instances(), instance)
        client.act(entry.instance, "save_preset", said)
    OUT.print(str(library.user_folder() / f"{library.stem(name)}.json"), markup=False)


@app.command()
def export(vst3_dir: Vst3Dir = None, json: Json = False) -> None:
    """Write every preset where VST3 hosts look, and keep them in step from then on."""
    from sidecar.exports import export as run

    done = run(vst3_dir)
    if json:
        kinds = {"written": done.written, "removed": done.removed, "in_the_way": done.in_the_way}
        said = {kind: [str(path) for path in paths] for kind, paths in kinds.items()}
        print_json({"folder": str(done.folder), **said})
    else:
        OUT.print(str(done.folder), markup=False)
        say_published(done)


@app.command("import")
def take_in(
    files: Annotated[
        list[Path] | None, typer.Argument(help=".vstpreset or .json; without: all that hosts saved.")
    ] = None,
    vst3_dir: Vst3Dir = None,
    replace: Replace = False,
    json: Json = False,
) -> None:
    """Keep presets that a host saved, or that somebody sent, as yours."""
    from sidecar import exports

    wanted = files or exports.saved_by_hosts(vst3_dir)
    if not wanted:
        raise CommandError("no host saved a preset of DEMON", "name a .vstpreset or .json file", 2)
    taken = [exports.take_in(path, replace=replace) for path in wanted]
    exports.follow()
    _print_saved(taken, json=json)


@app.command()
def delete(name: Name) -> None:
    """Remove a preset of yours."""
    from sidecar import exports, library

    doomed = library.find(name)
    library.delete(doomed)
    exports.follow()
    OUT.print(str(doomed.path), markup=False)


def say_published(done: "Published") -> None:
    """What became of the presets in hosts' lists, on stderr."""
    ERR.print(f"{len(done.written)} presets written, {len(done.removed)} removed")
    for path in done.in_the_way:
        ERR.print(f"kept: {path} was saved by somebody else", markup=False)


def _print_saved(saved: "list[Preset]", *, json: bool) -> None:
    if json:
        print_json({"presets": [_said(preset) for preset in saved]})
    else:
        OUT.print("\n".join(str(preset.path) for preset in saved), markup=False)


def _said(preset: "Preset") -> dict[str, object]:
    about = preset.about
    return {
        "id": preset.id,
        "name": about.name,
        "author": about.author,
        "tags": about.tags,
        "description": about.description,
        "lanes": about.lanes,
        "path": str(preset.path),
    }
