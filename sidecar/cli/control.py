"""`demon set`: change parameters, prompts, seed, source or preset of a running plugin instance."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sidecar.cli.output import OUT, CommandError, print_json

if TYPE_CHECKING:
    from sidecar.protocol import InstanceEntry
    from sidecar.source import SourceAudio

FILE_MODE = 1.0  # `source_mode` of parameters.toml: Learn, File, None


def set_command(
    values: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME=VALUE]...", help="Parameters, such as denoise=40% guidance_mode=full dcw=on."),
    ] = None,
    instance: Annotated[str | None, typer.Option(help="Which instance, by the start of its id.")] = None,
    prompt_a: Annotated[str | None, typer.Option("--prompt-a", help="Heard at Prompt Blend 0 %.")] = None,
    prompt_b: Annotated[str | None, typer.Option("--prompt-b", help="Heard at Prompt Blend 100 %.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**64 - 1, help="Of the noise.")] = None,
    file: Annotated[Path | None, typer.Option(help="Audio to use as the source, from song start.")] = None,
    preset: Annotated[str | None, typer.Option(help="Name or path of a preset.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Change what a running plugin instance plays; a host saves the result with its project."""
    if not values and all(value is None for value in (prompt_a, prompt_b, seed, file, preset)):
        fix = "give NAME=VALUE, --prompt-a, --prompt-b, --seed, --file or --preset"
        raise CommandError("nothing to set", fix, 2)
    changes = _changes(prompt_a, prompt_b, seed, preset)
    if values:
        changes["parameters"] = {**(changes.get("parameters") or {}), **dict(map(_parameter, values))}

    from sidecar.client import Client

    with Client(timeout_s=60.0) as client:
        entry = choose(client.instances(), instance)
        attachments: dict[str, bytes] = {}
        if file is not None:
            source = _source(file, entry.rate)
            attachments[source.hash] = source.flac()
            changes |= _file_changes(source, changes)
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


def _file_changes(source: "SourceAudio", changes: dict[str, Any]) -> dict[str, Any]:
    import msgspec

    parameters: dict[str, float] = {**(changes.get("parameters") or {}), "source_mode": FILE_MODE}
    return {"file": msgspec.to_builtins(source.entry), "parameters": parameters}


def _source(path: Path, rate: int) -> "SourceAudio":
    """The file as canonical source audio at the instance's rate."""
    import soxr

    from sidecar.cli.audio import read_stereo
    from sidecar.source import canonical

    audio, found = read_stereo(path)
    if found != rate:
        audio = soxr.resample(audio.T, found, rate, quality="VHQ").T
    source = canonical(audio, 0, rate, path.name)
    if source is None:
        raise CommandError(f"{path} is silent", "choose a file with sound in it", 2)
    return source
