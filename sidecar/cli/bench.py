"""`demon bench`: figures of this machine, all from one run."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sidecar.cli.output import ERR, OUT, CommandError, print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from engine.bench.tick import TickOverForward
    from sidecar.cli.measure import BounceSpeed, ProcessTimes


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="About a minute.")] = False,
    source: Annotated[Path | None, typer.Option(help="Song at 48 kHz to play.", show_default="the demo loop")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure process() in real time, a tick over its bare forward, and a bounce against real time."""
    song = _song(source)

    from engine import Session
    from sidecar.cli import machine, measure

    seconds = min(5 if quick else 16, song.shape[1] // measure.RATE)
    with ERR.status("loading the model") as line, Session.open() as session:
        line.update("ticks against forwards")
        tick = measure.tick(session)
        line.update("bouncing")
        speed = measure.bounce_speed(session, song)
        line.update(f"playing {3 * seconds} s in real time")
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


def _song(source: Path | None) -> "NDArray[np.float32]":
    from sidecar.cli.audio import read_stereo

    path = source or Path(__file__).resolve().parents[2] / "demo" / "loop.flac"
    audio, rate = read_stereo(path)
    if rate != 48_000 or audio.shape[1] < 2 * rate:
        raise CommandError(f"{path}: {audio.shape[1]} samples at {rate} Hz", "use two seconds or more at 48 kHz", 2)
    return audio


def _table(where: str, times: "ProcessTimes", tick: "TickOverForward", speed: "BounceSpeed") -> str:
    low, middle, high = tick.ratio
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
