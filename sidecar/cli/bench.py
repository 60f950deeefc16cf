"""`demon bench`: figures of this machine, all from one run. `demon bench engine`: the engine's alone, in depth;
`demon bench bridge`: the plugin's, in a host; `demon bench song`: of songs of several lengths."""

from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.output import ERR, OUT, CommandError, print_json, progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.bench.tick import TickOverForwards
    from sidecar.cli.measure import BounceSpeed, ProcessTimes

app = typer.Typer(help="Measure this machine.")

DEMO = Path(__file__).resolve().parents[2] / "demo" / "loop.flac"


@app.callback(invoke_without_command=True)
def bench(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="About a minute.")] = False,
    source: Annotated[Path | None, typer.Option(help="Song at 48 kHz to play.", show_default="the demo loop")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure process() in real time, a tick over its bare forward, and a bounce against real time.

    With the command engine: the engine's ratios instead, each against something else in the same run. With the
    command bridge: the plugin's. With the command song: what longer songs cost.
    """
    if context.invoked_subcommand is not None:
        return
    song = _song(source)

    from engine import Session
    from engine.bench import machine
    from sidecar.cli import measure

    seconds = min(5 if quick else 16, song.shape[1] // measure.RATE)
    with progress() as bar:
        task = bar.add_task("loading the model", total=4)
        with Session.open() as session:
            bar.update(task, description="ticks against forwards", completed=1)
            tick = measure.tick(session)
            bar.update(task, description="bouncing", completed=2)
            speed = measure.bounce_speed(session, song)
            bar.update(task, description=f"playing {3 * seconds} s in real time", completed=3)
            times = measure.process_times(song, seconds)
            checkpoint = session.checkpoint.id
    if json:
        print_json(
            {
                "machine": machine.describe(),
                "checkpoint": checkpoint,
                "process": asdict(times),
                "tick": asdict(tick),
                "bounce": asdict(speed),
            }
        )
    else:
        OUT.print(_table(f"{machine.line()}, {checkpoint}", times, tick, speed), markup=False)


@app.command()
def engine(
    quick: Annotated[bool, typer.Option("--quick", help="T = 400 alone and fewer pairs.")] = False,
    checkpoint: Annotated[str | None, typer.Option(help="What to measure.", show_default="the bundled one")] = None,
    backend: Annotated[
        list[str] | None, typer.Option(help="Backend; may be given twice.", show_default="eager and compiled")
    ] = None,
    threads: Annotated[int, typer.Option(help="Torch threads.")] = 1,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write a JSON document.")] = None,
) -> None:
    """Measure the engine: ticks, throughput, latency, decoding, memory; each against something else in this run."""
    if json is not None and not json.parent.is_dir():
        raise CommandError(f"{json.parent} is no folder", "make it, or write elsewhere", 2)
    with progress() as bar:
        task = bar.add_task("loading", total=1.0)

        from engine.bench import report, suite
        from engine.model.checkpoint import BUNDLED

        found = suite.run(
            checkpoint or BUNDLED,
            backends=backend or suite.DEFAULT_BACKENDS,
            threads=threads,
            quick=quick,
            watch=lambda what, share: bar.update(task, description=what, completed=share),
        )
    if json is not None:
        json.write_text(dumps(report.document(found), indent=2) + "\n", "utf-8")
    OUT.print(report.table(found), markup=False)


@app.command()
def bridge(
    quick: Annotated[bool, typer.Option("--quick", help="Roll 24 s and bounce 30 s.")] = False,
    minutes: Annotated[float, typer.Option(help="Length of the live roll.", min=0.4, max=600)] = 10.0,
    tick_frames: Annotated[int, typer.Option(help="The clock's rate in frames.", min=1, max=250)] = 2,
    source: Annotated[Path | None, typer.Option(help="Song at 48 kHz to play.", show_default="the demo loop")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write a JSON document.")] = None,
) -> None:
    """Measure the plugin in a host: its cost over an empty plugin, lag, pace, 16 instances, memory of a bounce."""
    if json is not None and not json.parent.is_dir():
        raise CommandError(f"{json.parent} is no folder", "make it, or write elsewhere", 2)
    song = _song(source, 8)

    from engine.bench import machine
    from sidecar import __version__
    from sidecar.cli import bridge as figures

    with ERR.status("starting") as line:
        found = figures.measure(
            song,
            minutes=0.4 if quick else minutes,
            bounce_s=30.0 if quick else 180.0,
            tick_frames=tick_frames,
            say=line.update,
        )
    if json is not None:
        document = {"machine": machine.describe(), "version": __version__, **asdict(found)}
        json.write_text(dumps(document, indent=2) + "\n", "utf-8")
    OUT.print(figures.table(f"{machine.line()}, demon-bridge {__version__}", found), markup=False)


@app.command()
def song(
    minutes: Annotated[
        list[float] | None,
        typer.Option(min=0.1, max=10, help="Length; may be given twice.", show_default="16 s, and 1, 3 and 10"),
    ] = None,
    depth: Annotated[int, typer.Option(min=1, max=8, help="Generations in flight.")] = 1,
    source: Annotated[Path | None, typer.Option(help="Song at 48 kHz.", show_default="the demo loop")] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write a JSON document.")] = None,
) -> None:
    """Measure what a longer song costs: headless bounces of several lengths, their speed and memory."""
    if json is not None and not json.parent.is_dir():
        raise CommandError(f"{json.parent} is no folder", "make it, or write elsewhere", 2)
    path, lengths = source or DEMO, minutes or [16 / 60, 1.0, 3.0, 10.0]
    _song(path)

    from engine.bench import machine
    from sidecar.cli import songs

    found: list[songs.SongFigures] = []
    with progress() as bar:
        for length in lengths:
            task = bar.add_task(f"{60 * length:g} s", total=1.0)
            found.append(songs.measure(path, length, depth, lambda share, task=task: bar.update(task, completed=share)))
            if json is not None:  # after each: a long one may be interrupted
                document = {"machine": machine.describe(), "songs": [asdict(one) for one in found]}
                json.write_text(dumps(document, indent=2) + "\n", "utf-8")
    OUT.print(songs.table(machine.line(), found), markup=False)


def _song(source: Path | None, seconds: int = 2) -> "NDArray[np.float32]":
    from sidecar.cli.audio import read_stereo

    path = source or DEMO
    audio, rate = read_stereo(path)
    if rate != 48_000 or audio.shape[1] < seconds * rate:
        raise CommandError(f"{path}: {audio.shape[1]} samples at {rate} Hz", f"use {seconds} s or more at 48 kHz", 2)
    return audio


def _table(where: str, times: "ProcessTimes", tick: "TickOverForwards", speed: "BounceSpeed") -> str:
    low, middle, high = tick.ratio.of_pairs
    rows = [
        (
            "`process()`, 512 frames, real time, p50 / p99 / max",
            f"{times.p50_us:.0f} / {times.p99_us:.0f} / {times.max_us:.0f} µs",
        ),
        ("the same p99, share of a block's duration", f"{times.p99_us / times.budget_us:.2%}"),
        ("blocks that were wet meanwhile", f"{times.wet_share:.0%} of {times.blocks}"),
        (
            f"engine tick / bare DiT forward (T = {tick.frames}, depth {tick.depth}), p5 / p50 / p95",
            f"{low:.2f} / {middle:.2f} / {high:.2f}",
        ),
        ("bare DiT forward, p50", f"{tick.forward_ms[1]:.1f} ms"),
        (f"bounce of {speed.seconds:g} s, against real time", f"{speed.real_time:.2f} x"),
    ]
    body = "\n".join(f"| {name} | {value} |" for name, value in rows)
    return f"{where}\n\n| figure | value |\n|---|---|\n{body}"
