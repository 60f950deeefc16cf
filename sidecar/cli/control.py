"""`demon set`: change parameters, prompts, seed, source or preset of a running plugin instance."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sidecar.cli.output import OUT, CommandError, print_json

if TYPE_CHECKING:
    from sidecar.protocol import InstanceEntry

FILE_MODE = 1.0  # `source_mode` of parameters.toml: Learn, File, None


def set_command(
    values: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME=VALUE]...",
            help="Parameters (docs/parameters.md), such as denoise=40% guidance_mode=full dcw=on.",
        ),
    ] = None,
    instance: Annotated[
        str | None, typer.Option(help="Which instance, by the start of its id.", show_default="the only one")
    ] = None,
    prompt_a: Annotated[str | None, typer.Option("--prompt-a", help="Heard at Prompt Blend 0 %.")] = None,
    prompt_b: Annotated[str | None, typer.Option("--prompt-b", help="Heard at Prompt Blend 100 %.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**64 - 1, help="Another one gives another rendering.")] = None,
    tick: Annotated[str | None, typer.Option(help="Frames (40 ms) per tick; auto: the next play chooses.")] = None,
    file: Annotated[Path | None, typer.Option(help="Audio to use as the source, from song start.")] = None,
    timbre: Annotated[Path | None, typer.Option(help="Audio whose timbre to take.")] = None,
    structure: Annotated[Path | None, typer.Option(help="Audio whose structure to take, from song start.")] = None,
    preset: Annotated[str | None, typer.Option(help="Name or path of a preset.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Change what a running plugin instance plays; a host saves the result with its project."""
    if not values and all(value is None for value in (prompt_a, prompt_b, seed, tick, file, timbre, structure, preset)):
        fix = "give NAME=VALUE, --prompt-a, --prompt-b, --seed, --tick, --file, --timbre, --structure or --preset"
        raise CommandError("nothing to set", fix, 2)
    changes = _changes(prompt_a, prompt_b, seed, preset)
    if tick is not None:
        changes["clock"] = {"tick_frames": _tick(tick)}
    if values:
        changes["parameters"] = {**(changes.get("parameters") or {}), **dict(map(_parameter, values))}
    attachments = _audio(changes, file=file, timbre=timbre, structure=structure)

    from sidecar.client import Client

    with Client(timeout_s=60.0) as client:
        entry = choose(client.instances(), instance)
        version = client.set_state(entry.instance, changes, attachments)
    if json:
        print_json({"instance": entry.instance, "version": version})
    else:
        OUT.print(f"{entry.instance}: control version {version}", markup=False)


def choose(found: Sequence["InstanceEntry"], wanted: str | None) -> "InstanceEntry":
    """The one instance, or the one whose id starts with `wanted`.

    Raises:
        CommandError: there is none, or more than one would do.
    """
    matching = [entry for entry in found if wanted is None or entry.instance.startswith(wanted)]
    if len(matching) == 1:
        return matching[0]
    if not found:
        raise CommandError("no plugin is connected", "insert DEMON in a host, then run this again")
    ids = ", ".join(entry.instance[:8] for entry in found)
    problem = (
        "several instances are connected" if wanted is None else f"{len(matching)} instances start with {wanted!r}"
    )
    raise CommandError(problem, f"use --instance with one of: {ids}", 2)


def _changes(prompt_a: str | None, prompt_b: str | None, seed: int | None, preset: str | None) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if preset is not None:
        from sidecar.cli import library

        changes = dict(library.find(preset).changes)
    prompts = {key: text for key, text in (("a", prompt_a), ("b", prompt_b)) if text is not None}
    if prompts:
        changes["prompts"] = {**(changes.get("prompts") or {}), **prompts}
    if seed is not None:
        changes["seed"] = seed
    return changes


def _tick(given: str) -> int | None:
    if given.casefold() == "auto":
        return None
    if given.isascii() and given.isdigit() and 1 <= int(given) <= 250:  # as the state document takes it
        return int(given)
    raise CommandError(f"--tick {given}: that is no tick", "use auto, or frames of 40 ms from 1 to 250", 2)


def _parameter(given: str) -> tuple[str, float]:
    from sidecar.errors import StateError
    from sidecar.parameters import TABLE

    key, _, value = given.partition("=")
    row = TABLE.get(key.strip())
    if row is None or row.curve == "status":
        raise CommandError(f"{given}: there is no parameter {key!r}", f"use one of {', '.join(TABLE.keys_saved)}", 2)
    try:
        return row.key, row.parse(value)
    except StateError as error:
        raise CommandError(error.text.rstrip("."), error.fix[:1].lower() + error.fix[1:].rstrip("."), 2) from error


def _audio(changes: dict[str, Any], **files: Path | None) -> dict[str, bytes]:
    """Names the audio of files in `changes`; the FLAC of what a project embeds, by content hash.

    What is too long for that goes into the content store, which the sidecar shares.
    """
    import msgspec

    from sidecar import references
    from sidecar.content import ContentStore
    from sidecar.sources import MAX_EMBEDDED

    attachments: dict[str, bytes] = {}
    for role, path in files.items():
        if path is None:
            continue
        source = references.read(_bytes(path), path.name)
        flac = source.flac()
        if len(flac) <= MAX_EMBEDDED:
            attachments[source.hash] = flac
        else:
            ContentStore().put(source, flac)
        changes[role] = msgspec.to_builtins(source.entry)
        if role == "file":
            changes["parameters"] = {**(changes.get("parameters") or {}), "source_mode": FILE_MODE}
    return attachments


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = f"{path} cannot be read: {error.strerror}"
        raise CommandError(problem, "name an audio file that libsndfile reads: WAV, FLAC, OGG, AIFF", 2) from error
