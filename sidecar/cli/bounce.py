"""`demon bounce`: render a file through the engine, without a host."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sidecar.cli.output import ERR, OUT, CommandError, print_json, progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sidecar.bounce import BounceReport
    from sidecar.document import Document
    from sidecar.tempo import Tempo

MAX_METRE = 64  # either number of a metre that the plugin passes on


def bounce(
    source: Annotated[Path, typer.Argument(help="The track: WAV, FLAC, OGG or AIFF, mono or stereo.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="WAV file to write, 32-bit float.")],
    preset: Annotated[str | None, typer.Option(help="Name or path of a preset or state document.")] = None,
    automation: Annotated[Path | None, typer.Option(help="Lanes as JSON (docs/automation.md).")] = None,
    prompt_a: Annotated[str | None, typer.Option("--prompt-a", help="Heard at Prompt Blend 0 %.")] = None,
    prompt_b: Annotated[str | None, typer.Option("--prompt-b", help="Heard at Prompt Blend 100 %.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**64 - 1, help="Another one gives another rendering.")] = None,
    lora: Annotated[
        list[str] | None,
        typer.Option("--lora", help="NAME or NAME=STRENGTH; repeatable. Takes the place of the preset's."),
    ] = None,
    tempo: Annotated[
        float | None, typer.Option(min=1.0, max=1000.0, help="BPM that a host would give; prompts may follow it.")
    ] = None,
    metre: Annotated[
        str | None, typer.Option(help="Such as 4/4, with --tempo: a bar begins at the start of the track.")
    ] = None,
    rate: Annotated[
        int | None,
        typer.Option(
            min=16_000, max=384_000, help="Of the result; the track is brought to it.", show_default="the file's"
        ),
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="Bundled name, folder or hub id.", show_default="the bundled one")
    ] = None,
    backend: Annotated[
        str, typer.Option(help="eager, compiled, or auto; give what the sidecar runs to get its bytes.")
    ] = "eager",
    check: Annotated[
        bool,
        typer.Option(help="First check on this machine that streaming changes no bit; the report says what it found."),
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON document.")] = False,
) -> None:
    """Bounce a file as the plugin would in a host that draws the same lanes, bit for bit."""
    if output.resolve() == source.resolve():
        raise CommandError(f"{output} is the source itself", "name another file with -o", 2)
    if not output.parent.is_dir():
        raise CommandError(f"{output.parent}: no such folder", "make it, or name another file with -o", 2)
    beat = _beat(tempo, metre)
    audio, found = _track(source, rate)
    document = _document(preset, prompt_a, prompt_b, seed)
    if lora:
        document = document.patch(_loras(lora))
    result, report = _render(audio, found, document, automation, beat, checkpoint, backend, check=check)

    from sidecar.cli.audio import write_wav

    write_wav(output, result, found)
    if json:
        print_json({"output": str(output), **report.to_dict()})
    else:
        OUT.print(str(output), markup=False)
        ERR.print(report.claim, markup=False)
        for name in report.missing:
            ERR.print(f"note: {name} is not on this machine, rendered without it", markup=False)
        if not report.wet:
            ERR.print("dry: there was no source to render from")


def _beat(bpm: float | None, metre: str | None) -> "Tempo":
    from sidecar.tempo import UNKNOWN, Tempo

    if bpm is None:
        if metre is not None:
            raise CommandError(f"--metre {metre} says nothing without a tempo", "give --tempo too", 2)
        return UNKNOWN
    if metre is None:
        return Tempo(bpm)
    upper, _, lower = metre.partition("/")
    if not all(part.isascii() and part.isdigit() and 1 <= int(part) <= MAX_METRE for part in (upper, lower)):
        raise CommandError(f"--metre {metre} is no metre", f"write it as 4/4; both numbers 1 to {MAX_METRE}", 2)
    return Tempo(bpm, int(upper), int(lower), bar=0)


def _track(path: Path, rate: int | None) -> "tuple[NDArray[np.float32], int]":
    import numpy as np
    import soxr

    from sidecar.cli.audio import read_stereo

    audio, found = read_stereo(path)
    if rate is None or rate == found:
        return audio, found
    return np.ascontiguousarray(soxr.resample(audio.T, found, rate, quality="VHQ").T, np.float32), rate


def _document(preset: str | None, prompt_a: str | None, prompt_b: str | None, seed: int | None) -> "Document":
    from sidecar.cli import library
    from sidecar.document import Document

    changes: dict[str, Any] = {} if preset is None else library.find(preset).changes
    prompts = {key: text for key, text in (("a", prompt_a), ("b", prompt_b)) if text is not None}
    return Document(changes).patch({"prompts": prompts, **({} if seed is None else {"seed": seed})})


def _loras(given: list[str]) -> dict[str, Any]:
    found = [_lora(text) for text in given]
    strengths = {f"lora_{number}": strength for number, (_, strength) in enumerate(found, start=1)}
    return {"loras": [{"name": name} for name, _ in found], "parameters": strengths}


def _lora(given: str) -> tuple[str, float]:
    name, equals, strength = given.rpartition("=")
    if not equals:
        return given, 1.0
    try:
        return name, float(strength)
    except ValueError:
        raise CommandError(f"--lora {given}: {strength!r} is not a number", "write NAME=STRENGTH", 2) from None


def _render(
    audio: "NDArray[np.float32]",
    rate: int,
    document: "Document",
    lanes: Path | None,
    beat: "Tempo",
    checkpoint: str | None,
    backend: str,
    *,
    check: bool,
) -> "tuple[NDArray[np.float32], BounceReport]":
    from sidecar.automation import read_automation

    drawn = None if lanes is None else read_automation(lanes, rate)

    from engine import Session
    from engine.constants import MIN_FRAMES
    from engine.model.checkpoint import BUNDLED
    from sidecar.bounce import bounce as run

    wanted = document.fields.checkpoint  # name@digest, as a project saves it
    with progress() as bar:
        task = bar.add_task("loading", total=1.0)

        def loading(what: str, share: float) -> None:
            bar.update(task, description=what, completed=share)

        def bouncing(share: float) -> None:
            bar.update(task, description="Bouncing", completed=share)

        name = checkpoint or wanted.rpartition("@")[0] or BUNDLED
        with Session.open(name, backend=backend, progress=loading) as session:
            if wanted not in ("", session.checkpoint.id):
                ERR.print(f"note: made with checkpoint {wanted}, rendered with {session.checkpoint.id}", markup=False)
            if check:
                bar.update(task, description="Checking", completed=0.0)
                session.self_check(MIN_FRAMES)
            bouncing(0.0)
            return run(session, audio, rate, document, drawn, tempo=beat, report=bouncing)
