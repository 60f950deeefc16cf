"""`demon scene`: what a running plugin instance does now."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from sidecar.cli.control import choose
from sidecar.cli.output import OUT, print_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sidecar.protocol import Scene

FRESHEST = 255  # coverage of a frame from the newest generation (PROTOCOL section 2, `scene`)


def scene(
    name: Annotated[
        str | None, typer.Argument(help="Which instance, by the start of its id.", show_default="the only one")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Say what a running plugin instance does now: where it is, how far it has rendered and how fast."""
    from sidecar.client import Client

    with Client(timeout_s=60.0) as client:
        entry = choose(client.instances(), name)
        seen, frames = client.scene(entry.instance)
    found = {"instance": entry.instance, "state": entry.state, **_summary(seen, frames)}
    if json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for row in _rows(found):
        table.add_row(*map(Text, row))
    OUT.print(table)


def _summary(seen: "Scene", frames: list[bytes]) -> dict[str, Any]:
    import msgspec
    import numpy as np

    coverage = np.frombuffer(frames[0], np.uint8)
    curves = np.frombuffer(frames[1], "<f4").reshape(len(seen.lanes), seen.frames)
    return {
        "region": {"start_frame": seen.region_start, "frames": seen.frames},
        "playhead_frame": seen.playhead,
        "tick_frames": seen.tick_frames,
        "ticks_per_second": seen.ticks,
        "sustained_ticks_per_second": seen.sustained,
        "lag_frames": seen.lag,
        "late_windows": seen.late,
        "learning_frames": seen.learning,
        "coverage": {
            "rendered": _share(coverage > 0),
            "newest": _share(coverage == FRESHEST),
            "generation": seen.generation,
        },
        "lanes": [_lane(key, curve) for key, curve in zip(seen.lanes, curves, strict=True)],
        "missing": [msgspec.to_builtins(item) for item in seen.missing],
        "checkpoint": seen.checkpoint,
        "backend": seen.backend,
        "device": seen.device,
    }


def _share(frames: "NDArray[np.bool_]") -> float:
    return float(frames.mean()) if frames.size else 0.0


def _lane(key: str, curve: "NDArray[np.float32]") -> dict[str, Any]:
    return {"key": key, "lowest": float(curve.min()), "highest": float(curve.max())}


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    start, end = found["region"]["start_frame"], found["region"]["start_frame"] + found["region"]["frames"]
    tick, coverage = found["tick_frames"], found["coverage"]
    shares = f"{coverage['rendered']:.0%} rendered, {coverage['newest']:.0%} from the newest generation"
    rows = [
        ("instance", f"{found['instance']}, {found['state']}"),
        ("region", f"{_seconds(start)} to {_seconds(end)}"),
        ("playhead", _seconds(found["playhead_frame"])),
        ("tick", f"every {tick} frames" if tick else "no pass yet"),
        ("ticks", f"{found['ticks_per_second']:.1f} a second, {_sustained(found['sustained_ticks_per_second'])}"),
        ("lag", f"{found['lag_frames']} frames, {_seconds(found['lag_frames'])}"),
        ("late", f"{found['late_windows']} windows"),
        ("coverage", f"{shares} ({coverage['generation']})"),
        ("model", f"{found['checkpoint']}, {found['backend']} on {found['device']}"),
    ]
    if found["learning_frames"]:
        rows.append(("learning", f"{_seconds(found['learning_frames'])} heard so far"))
    rows += [("lane", _drawn(lane)) for lane in found["lanes"]]
    return rows + [("missing", f"{item['kind']} {item['name']!r}. {item['fix']}") for item in found["missing"]]


def _seconds(frames: int) -> str:
    return f"{frames / 25:.1f} s"


def _sustained(ticks: float) -> str:
    return f"{ticks:.1f} if there were nothing else to do" if ticks else "nothing measured yet"


def _drawn(lane: dict[str, Any]) -> str:
    from sidecar.parameters import TABLE

    row = TABLE[lane["key"]]
    low, high = (f"{row.display(lane[end])} {row.unit}".rstrip() for end in ("lowest", "highest"))
    return f"{row.name}: {low}" if low == high else f"{row.name}: {low} to {high}"
