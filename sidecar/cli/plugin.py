"""`demon plugin`: build, install, uninstall, status."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

import plugin_bridge
from sidecar.cli.output import ERR, OUT, CommandError, print_json
from sidecar.cli.presets import say_published

app = typer.Typer(help="Build the VST3 and CLAP bundles, and put them where hosts look.", no_args_is_help=True)

Folder = Annotated[
    Path | None, typer.Option("--folder", help="Folder of the built bundles.", show_default="user cache")
]
Vst3Dir = Annotated[Path | None, typer.Option("--vst3-dir", help="VST3 plugin folder.", show_default="~/.vst3")]
ClapDir = Annotated[Path | None, typer.Option("--clap-dir", help="CLAP plugin folder.", show_default="~/.clap")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command()
def build(folder: Folder = None, json: Json = False) -> None:
    """Compile the plugin and write DEMON.vst3 and DEMON.clap."""
    with ERR.status("compiling the plugin (the first time takes a few minutes)") as line:
        built = plugin_bridge.build(folder, say=lambda text: line.update(text.strip()[:100]))
    if json:
        print_json({"vst3": str(built.vst3), "clap": str(built.clap), "sha256": built.sha256})
    else:
        OUT.print(f"{built.vst3}\n{built.clap}", markup=False)


@app.command()
def install(folder: Folder = None, vst3_dir: Vst3Dir = None, clap_dir: ClapDir = None, json: Json = False) -> None:
    """Copy the bundles and presets into the user's folders and tell the plugin how to start the sidecar."""
    from sidecar.exports import export

    done = plugin_bridge.install(folder, vst3_dir=vst3_dir, clap_dir=clap_dir)
    published = export(vst3_dir)
    if json:
        paths = {key: str(value) for key, value in asdict(done).items()}
        print_json({**paths, "presets": str(published.folder)})
    else:
        OUT.print(f"{done.vst3}\n{done.clap}\n{done.launch_file}\n{published.folder}", markup=False)
        say_published(published)
        ERR.print("installed; rescan plugins in the host")


@app.command()
def uninstall(json: Json = False) -> None:
    """Remove exactly what install put in place."""
    removed = plugin_bridge.uninstall()
    if json:
        print_json({"removed": [str(path) for path in removed]})
    elif removed:
        OUT.print("\n".join(str(path) for path in removed), markup=False)
    else:
        ERR.print("nothing is installed")


@app.command()
def status(folder: Folder = None, vst3_dir: Vst3Dir = None, clap_dir: ClapDir = None, json: Json = False) -> None:
    """Say what is built, what is installed and whether they are the same. Ends with 1 when something is to be done."""
    found = plugin_bridge.status(folder, vst3_dir=vst3_dir, clap_dir=clap_dir)
    if json:
        print_json(
            {
                "ok": found.ok,
                "folder": str(found.folder),
                "built": found.built,
                "stale": found.stale,
                "vst3": {"path": str(found.vst3.path), "state": found.vst3.state},
                "clap": {"path": str(found.clap.path), "state": found.clap.state},
                "launch_file": str(found.launch_file),
                "launch_problem": str(found.launch_problem) if found.launch_problem else None,
            }
        )
    else:
        built = "no" if not found.built else "older than its sources" if found.stale else "yes"
        launch = str(found.launch_problem) if found.launch_problem else "ok"
        OUT.print(f"built: {built} ({found.folder})", markup=False)
        OUT.print(f"VST3: {found.vst3.state} ({found.vst3.path})", markup=False)
        OUT.print(f"CLAP: {found.clap.state} ({found.clap.path})", markup=False)
        OUT.print(f"launch file: {launch} ({found.launch_file})", markup=False)
    if not found.ok:
        step = "demon plugin install" if found.built and not found.stale else "demon plugin build, then install"
        raise CommandError("the plugin is not ready for a host", f"run {step}")
