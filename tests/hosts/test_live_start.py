"""Play, live, where the transport stood: wet from the first sample, and the bounce bit for bit.

What stood by does not depend on how fast this machine is. Of what follows, a chunk may come too late on a busy one, and
is then heard dry from its first sample on; everything else is the bounce.

Run as a script it is the host process: `python test_live_start.py JOB.json`.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from host_job import Stage
from numpy.typing import NDArray

pytestmark = pytest.mark.clap

READY_LIMIT = 120.0  # encoding a source and priming beside other work on two cores
JOB_LIMIT = 300.0
CHUNK = 2048
STOOD_BY = 20 * 1920 // CHUNK * CHUNK  # the chunks of the two windows that are due before the first block, at 48 kHz
SETTLED = 0.2  # a standby is made 50 ms after the last change; the log is written from another process


class LiveStage(Stage):
    """A stage that can wait for a standby."""

    def do_stand_by(self, step: dict) -> dict:
        """Stopped blocks at `at` until the sidecar's log names a standby that was not there before."""
        log = Path(os.environ["DEMON_RUN_DIR"]) / "sidecar.log"
        self.host.mode(False)
        silence, began = np.zeros((2, 512), np.float32), time.monotonic()
        before = log.read_bytes().count(b"standby")
        while log.read_bytes().count(b"standby") == before:
            assert time.monotonic() - began < READY_LIMIT, log.read_text()[-3000:]
            self.host.block(silence, step["at"], False, [])
            time.sleep(0.005)
        ready = time.monotonic() - began
        self.do_idle({"at": step["at"], "wait": SETTLED})
        return {"ready": ready}


def run_host(rig: object, steps: list[dict]) -> Path:
    """The steps in a CLAP host of its own; its folder."""
    folder = rig.root / "live-start"
    folder.mkdir()
    for step in steps:
        for key, value in step.items():
            if isinstance(value, np.ndarray):
                np.save(folder / "in.npy", value)
                step[key] = str(folder / "in.npy")
    job = {"host": "clap", "bundle": str(rig.bundles.clap), "rate": 48_000, "block": 512, "steps": steps}
    (folder / "job.json").write_text(json.dumps(job))
    done = subprocess.run(
        [sys.executable, __file__, str(folder / "job.json")],
        env=rig.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=JOB_LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr + rig.sidecar_log()[-3000:]
    return folder


def test_a_live_start_is_the_bounce_from_its_first_sample(fresh_rig: object) -> None:
    from scenes import RATE, SONG, document

    fresh_rig.start_sidecar()
    live = {"do": "play", "audio": SONG, "offline": False, "blocks": 512}
    folder = run_host(
        fresh_rig,
        [
            {"do": "load", "from": fresh_rig.state("clap", "live-start", *document())},
            {"do": "await", "status": ["Dry"], "limit": 60},
            {**live, "pace": True, "out": "learning.npy"},
            {"do": "stand_by", "at": 0},
            {**live, "pace": True, "out": "live.npy"},
            {"do": "bounce", "audio": SONG, "out": "bounce.npy"},
        ],
    )
    learning, heard, bounced = (np.load(folder / f"{name}.npy") for name in ("learning", "live", "bounce"))
    assert np.array_equal(learning, SONG), "there was something to hear before anything was learned"
    assert differs(bounced[:, : RATE // 5], SONG[:, : RATE // 5]), "the bounce begins dry, so nothing was measured"
    assert np.array_equal(heard[:, :STOOD_BY], bounced[:, :STOOD_BY])
    wrong = np.concatenate([[False], (heard != bounced).any(axis=0)])
    begins = np.flatnonzero(wrong[1:] & ~wrong[:-1])
    assert not (begins % CHUNK).any(), "something other than a chunk that came too late was heard"
    assert (heard[:, STOOD_BY:] == bounced[:, STOOD_BY:]).any(), "the pass never went on from what stood by"


def differs(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    return float(np.abs(a - b).max()) > 1e-3


def main(path: str) -> None:
    job = json.loads(Path(path).read_text())
    stage = LiveStage(job, Path(path).parent)
    results = [stage.run(step) for step in job["steps"]]
    stage.close()
    (Path(path).parent / "result.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1])
