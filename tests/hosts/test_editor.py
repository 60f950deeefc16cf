"""The plugin's window in a real host on a real screen: it paints, a hand moves the host, the host moves the window."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from bridge_rig import HERE, Rig
from picture import ACCENT, Pixels, is_colour, pixels, width
from screen import missing, screen

pytestmark = [
    pytest.mark.pedalboard,
    pytest.mark.skipif(bool(missing()), reason=f"not installed: {', '.join(missing())}"),
]

FIELD = (0x0D, 0x0F, 0x12)
SIDE = 350  # points: right of it are the knobs
KNOBS = 270  # points: above it is the waveform
BORDER = 2  # pixels: the window manager's, left and right
HEADER = 62  # points: above it is the state, with the window manager's title
KEEP_A, WAV_A = (102, 553), (190, 581)  # in the window's first size, where nothing is wrong: "Takes"
SCREENSHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"
LIMIT = 240.0


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


def first_knob(image: Pixels, scale: int) -> tuple[int, int]:
    """The middle of the first knob: Denoise, whose arc has the accent's colour."""
    accent = is_colour(image, ACCENT)
    accent[:, : SIDE * scale] = False
    accent[: HEADER * scale] = False
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
    larger = [["zoom", 1000 * scale]] if scale == 2 else []
    ready = [["painted"], ["click", 700, 90], *larger]
    run(fresh_rig, tmp_path / "look", [[*ready, ["shot", str(kept)]]])
    image = pixels(kept)
    assert width(image) > 1000 * scale, "the host gave the window that the zoom asks for"
    assert len(np.unique(image.reshape(-1, 3), axis=0)) > 150, "text and arcs have many shades"
    assert is_colour(image, ACCENT).sum() > 800 * scale * scale

    x, y = first_knob(image, scale)
    hand = [["drag", x, y, 0, 44 * scale], ["moved", "denoise", -44 / 220, 0.06], ["values"]]
    keys = [["keys", "Up", "Up"], ["moved", "denoise", 0.02, 0.002], ["values"]]
    steps = [*ready, ["values"], *hand, *keys]
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
        ["painted"],
        ["shot", shots[0]],
        ["set", "denoise", 0.1],
        ["changed", shots[1], shots[0]],
        ["set", "denoise", 0.75],
        ["as_before", shots[2], shots[0]],
    ]
    run(fresh_rig, tmp_path / "automation", [steps])
    before, after, again = (pixels(Path(shot)) for shot in shots)
    x, y = first_knob(before, 1)
    part = (slice(y - 30, y + 50), slice(x - 42, x + 42))
    assert (before[part] != after[part]).any(axis=2).sum() > 100
    assert (before[part] == again[part]).all(), "the same value is the same picture"

    fields = np.argwhere(is_colour(before, FIELD)[:, : SIDE - 20])
    top, left = fields.min(axis=0)
    steps = [["painted"], ["click", int(left) + 40, int(top) + 12], ["text", "dub techno"], ["keys", "Return"]]
    state = run(fresh_rig, tmp_path / "prompt", [steps])["state"]
    assert "dub techno" in state


def test_the_window_opens_and_closes_twenty_times(fresh_rig: Rig, tmp_path: Path) -> None:
    fresh_rig.write_launch_file(["/bin/false"])
    # Closed within some milliseconds, pedalboard itself dies now and then over any window that can be resized.
    openings: list[list[list[Any]]] = [[["painted"], ["columns"]] for _ in range(20)]
    found = run(fresh_rig, tmp_path / "twenty", [*openings, [["painted"], ["columns"], ["values"]]])["found"]
    assert len(found) == 21
    # JUCE asks for its own 128 by 128 pixels now and then, which is no reason for a small window.
    assert {opening[1] for opening in found} == {1080 + BORDER}
    assert found[-1][2]["denoise"] == 0.75


def test_the_window_shows_what_the_sidecar_learned_and_rendered(rig: Rig, tmp_path: Path) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    before, kept = tmp_path / "before.png", SCREENSHOTS / "pedalboard-playing.png"
    shown = ["glowing", str(kept), str(before)]
    steps = [["painted"], ["shot", str(before)], ["play", 3.0], ["play", 2.5], shown]
    run(rig, tmp_path / "play", [steps])
    waves = [is_colour(pixels(shot), ACCENT)[HEADER:KNOBS, SIDE:].sum() for shot in (before, kept)]
    assert waves[1] > waves[0] + 2000, "the output's waveform and its fresh coverage"


def test_a_span_of_what_was_heard_is_kept_as_a_take_and_exported(rig: Rig, tmp_path: Path) -> None:
    before, heard = (str(tmp_path / f"{name}.png") for name in ("before", "heard"))
    written = rig.home / "Music" / "DEMON" / "Take A.wav"
    played = [["painted"], ["shot", before], ["play", 3.0], ["play", 2.5], ["glowing", heard, before], ["still"]]
    kept = [["drag", 500, 130, 200, 0], ["click", *KEEP_A], ["marked"]]
    exported = [
        ["click", *WAV_A],
        ["file", str(written)],
        ["still"],
        ["shot", str(SCREENSHOTS / "pedalboard-take.png")],
    ]
    state = run(rig, tmp_path / "take", [[*played, *kept, *exported]])["state"]
    document, _ = json.JSONDecoder().raw_decode(state, state.index('{"'))
    (take,) = document["takes"]
    audio, rate = soundfile.read(written)
    assert (take["slot"], take["rate"], take["samples"]) == ("A", rate, len(audio))
    # From 150 of the 710 points that show the song on, for 200 of them: 0.67 s to 1.58 s of 3.2, on the grid.
    assert (take["start_frame"], len(audio)) == (10, round(1.2 * rate))
    assert np.abs(audio).max() > 0.01
