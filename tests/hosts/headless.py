"""No host at all: the track of `scenes` through `demon bounce`."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from bridge_rig import Rig
from numpy.typing import NDArray
from scenes import RATE, SONG


def headless(
    rig: Rig, folder: Path, wanted: dict[str, Any], lanes: Iterable[tuple[int, str, float]], *more: str
) -> NDArray[np.float32]:
    """`demon bounce` of the same track, document and lanes."""
    files = {name: folder / name for name in ("track.wav", "state.json", "lanes.json", "out.wav")}
    soundfile.write(files["track.wav"], SONG.T, RATE, subtype="FLOAT")
    preset = {"name": "host test", "author": "", "tags": [], "description": ""}
    state = {"format": "demon-state", "version": 2, **wanted, "preset": preset}
    files["state.json"].write_text(json.dumps(state))
    drawn: dict[str, list[dict[str, float]]] = {}
    for at, key, value in lanes:
        drawn.setdefault(key, []).append({"sample": at, "value": value})
    files["lanes.json"].write_text(json.dumps({"version": 1, "rate": RATE, "lanes": drawn}))
    command = [sys.executable, "-m", "sidecar.cli", "bounce", files["track.wav"], "-o", files["out.wav"]]
    command += ["--preset", files["state.json"], "--automation", files["lanes.json"], *more]
    done = subprocess.run(command, env=rig.environment(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return np.ascontiguousarray(soundfile.read(files["out.wav"], dtype="float32", always_2d=True)[0].T)
