"""The plugin's window in a real host on a real screen: it paints, a hand moves the host, the host moves the window."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bridge_rig import HERE, Rig
from numpy.typing import NDArray
from PIL import Image
from screen import missing, screen

pytestmark = [
    pytest.mark.pedalboard,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]

ACCENT = (0x5C, 0xD6, 0xC0)  # crates/editor/src/page/style.rs
FIELD = (0x0D, 0x0F, 0x12)
SIDE = 350  # points: right of it are the knobs
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
LIMIT = 120.0

Pixels = NDArray[np.uint8]


def run(rig: Rig, folder: Path, openings: list[list[list[Any]]]) -> dict[str, Any]:
    """What the steps found, with the window open on a screen of its own; and the state that the host then saves."""
    folder.mkdir(parents=True, exist_ok=True)
    job = folder / "job.json"
    job.write_text(json.dumps({"bundle": str(rig.bundles.vst3), "openings": openings}))
    with screen(folder) as display:
        environment = {
            **rig.environment(),
            **display,
            "PYTHONPATH": os.pathsep.join([rig.environment()["PYTHONPATH"], str(HERE)]),
        }
        done = subprocess.run(
            [sys.executable, str(HERE / "editor_job.py"), str(job)],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads((folder / "found.json").read_text())


def pixels(path: Path) -> Pixels:
    return np.asarray(Image.open(path).convert("RGB"))


def is_colour(image: Pixels, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    return (np.abs(image.astype(int) - colour) <= 2).all(axis=2)


def first_knob(image: Pixels, scale: int) -> tuple[int, int]:
    """The middle of the first knob: Denoise, whose arc has the accent's colour."""
    accent = is_colour(image, ACCENT)
    accent[:, : SIDE * scale] = False
    rows = np.flatnonzero(accent.any(axis=1))
    band = accent[rows[0] : rows[0] + 40 * scale]
    columns = np.flatnonzero(band.any(axis=0))
    near = columns[columns < columns[0] + 50 * scale]
    return int(near[0] + near[-1]) // 2, int(rows[0]) + 20 * scale


@pytest.mark.parametrize("scale", [1, 2])
def test_the_window_is_painted_and_a_hand_on_a_knob_moves_the_parameter_in_the_host(
    fresh_rig: Rig, tmp_path: Path, scale: int
) -> None:
    fresh_rig.write_launch_file(["/bin/false"])
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    kept = SCREENSHOTS / f"pedalboard@{scale}x.png"
    # Below the header nothing is hit; pedalboard tells a plugin no scale, so the page's own zoom makes it 2.
    larger = [["keys", "ctrl+plus"]] * 4 if scale == 2 else []
    ready = [["wait", 1.0], ["click", 700, 90], *larger]
    run(fresh_rig, tmp_path / "look", [[*ready, ["shot", str(kept)]]])
    image = pixels(kept)
    lit = np.flatnonzero((image.sum(axis=2) > 0).any(axis=0))
    assert lit.size > 1000 * scale, "the host gave the window that the zoom asks for"
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 150, "text and arcs have many shades"
    assert is_colour(image, ACCENT).sum() > 800 * scale * scale

    x, y = first_knob(image, scale)
    steps = [*ready, ["values"], ["drag", x, y, 44 * scale], ["values"], ["keys", "Up", "Up"], ["values"]]
    found = run(fresh_rig, tmp_path / "drag", [steps])["found"][0]
    before, dragged, stepped = (values for values in found if values)
    changed = {key for key in before if before[key] != dragged[key]}
    assert changed == {"denoise"}
    assert dragged["denoise"] == pytest.approx(before["denoise"] - 44 / 220, abs=0.06)  # a drag begins 6 points late
    assert stepped["denoise"] == pytest.approx(dragged["denoise"] + 0.02, abs=0.002)


def test_the_hosts_automation_moves_the_knob_and_a_prompt_that_is_typed_is_saved(
    fresh_rig: Rig, tmp_path: Path
) -> None:
    fresh_rig.write_launch_file(["/bin/false"])
    shots = [str(tmp_path / f"{name}.png") for name in ("before", "after", "again")]
    steps = [
        ["wait", 1.0],
        ["shot", shots[0]],
        ["set", "denoise", 0.1],
        ["shot", shots[1]],
        ["set", "denoise", 0.75],
        ["shot", shots[2]],
    ]
    run(fresh_rig, tmp_path / "automation", [steps])
    before, after, again = (pixels(Path(shot)) for shot in shots)
    x, y = first_knob(before, 1)
    part = (slice(y - 30, y + 50), slice(x - 42, x + 42))
    assert (before[part] != after[part]).any(axis=2).sum() > 100
    assert (before[part] == again[part]).all(), "the same value is the same picture"

    fields = np.argwhere(is_colour(before, FIELD)[:, : SIDE - 20])
    top, left = fields.min(axis=0)
    steps = [["wait", 1.0], ["click", int(left) + 40, int(top) + 12], ["text", "dub techno"], ["keys", "Return"]]
    state = run(fresh_rig, tmp_path / "prompt", [steps])["state"]
    assert "dub techno" in state


def test_the_window_opens_and_closes_twenty_times(fresh_rig: Rig, tmp_path: Path) -> None:
    fresh_rig.write_launch_file(["/bin/false"])
    # Closed within some milliseconds, pedalboard itself dies now and then over any window that can be resized.
    openings: list[list[list[Any]]] = [[["wait", 0.3]] for _ in range(20)]
    found = run(fresh_rig, tmp_path / "twenty", [*openings, [["wait", 0.3], ["values"]]])["found"]
    assert len(found) == 21
    assert found[-1][1]["denoise"] == 0.75
