"""qtractor 0.9, a DAW that nobody here wrote, and CLAP: insert, a lane, play, save, reopen, export.

Its export runs faster than time and does not say so to a CLAP plugin (it never asks for the render extension), so what
it exports is what was rendered before: the standby and the pass that played last.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ardour_session import environment_of
from bridge_rig import Rig
from parameter_table import TABLE
from plugin_state import blob, document_of
from qtractor_file import Insert, state_of, write_session
from qtractor_session import PERIOD, Rolling, Studio, installed, studio
from scenes import RATE, SONG, distance, document, loudness
from trap_build import Trap, caught

pytestmark = pytest.mark.qtractor

STEP, END = SONG.shape[1] // 2, SONG.shape[1]
EDGE = PERIOD  # qtractor fades a clip in and out over one period
LATE = 2 * PERIOD + RATE // 25 + RATE // 100  # and sends a lane's value with the next block; then a frame and a ramp
STANDBY_LIMIT = 30.0
CONTROL = Path("/usr/lib/clap/ZamEQ2.clap")  # Debian's zam-plugins: a plugin that is not ours
ZAM_GAIN = 10  # its "Master Gain", -12 .. 12 dB
MIX = [*TABLE].index("mix")


@pytest.fixture(scope="module")
def qtractor(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    assert installed(), "qtractor or a helper of it is not here; run scripts/setup --tests, then the tests again"
    with studio(tmp_path_factory.mktemp("qtractor") / "home", environment_of(rig.environment()), RATE) as made:
        yield made


@dataclass(frozen=True)
class Visit:
    """What came out of a session: before it learned, after it played, after it was saved and reopened."""

    before: np.ndarray
    heard: np.ndarray
    reopened: np.ndarray
    saved: dict


def standbys(rig: Rig) -> int:
    """How often the sidecar's log says that it rendered the start of a pass at the song's."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", rig.sidecar_log())
    return len(re.findall(r"standby .*\bsong=0\b", plain))


def wait_for_standby(rig: Rig, seen: int) -> None:
    until = time.monotonic() + STANDBY_LIMIT
    while standbys(rig) <= seen:
        assert time.monotonic() < until, rig.sidecar_log()[-3000:]
        time.sleep(0.05)
    time.sleep(0.5)  # the log is written when it is primed; its windows follow


def play_and_export(rig: Rig, rolling: Rolling) -> np.ndarray:
    """Roll in real time, then export what stands by at the start and what is left of that pass."""
    seen = standbys(rig)
    rolling.play(END / RATE + 0.5)
    wait_for_standby(rig, seen)
    return rolling.export()


@pytest.fixture(scope="module")
def visit(rig: Rig, qtractor: Studio) -> Visit:
    """A track with the song; DEMON, which has yet to learn; a lane that takes the mix from wet to dry half way."""
    state = blob(*document())
    insert = Insert(rig.bundles.clap, state, MIX, [(0, 1.0), (STEP, 0.0)])
    session = write_session(qtractor.home / "song", "song", SONG, RATE, insert)
    with qtractor.opened(session) as rolling:
        before = rolling.export()
        heard = play_and_export(rig, rolling)
        rolling.save()
    saved = document_of(state_of(session))
    with qtractor.opened(session) as rolling:
        reopened = play_and_export(rig, rolling)
    return Visit(before, heard, reopened, saved)


def test_before_it_learned_the_export_is_the_track(visit: Visit) -> None:
    assert visit.before.shape == SONG.shape
    assert np.array_equal(visit.before[:, EDGE : END - EDGE], SONG[:, EDGE : END - EDGE])


def test_after_it_played_the_export_is_wet_until_the_lane_says_dry(visit: Visit) -> None:
    assert distance(visit.heard[:, EDGE:STEP], SONG[:, EDGE:STEP]) > 0.05
    assert loudness(visit.heard[:, EDGE:STEP]) > 0.1 * loudness(SONG)
    assert np.array_equal(visit.heard[:, STEP + LATE : END - EDGE], SONG[:, STEP + LATE : END - EDGE])


def test_the_session_holds_what_it_learned(visit: Visit) -> None:
    assert visit.saved["learned"]["rate"] == RATE
    assert visit.saved["learned"]["samples"] >= END
    assert visit.saved["prompts"] == document()[0]["prompts"]


def test_the_reopened_session_is_wet_without_learning_again(visit: Visit) -> None:
    assert distance(visit.reopened[:, EDGE:STEP], SONG[:, EDGE:STEP]) > 0.05
    assert np.array_equal(visit.reopened[:, STEP + LATE : END - EDGE], SONG[:, STEP + LATE : END - EDGE])


def test_nothing_forbidden_happens_on_qtractors_audio_thread(qtractor: Studio, trap: Trap, tmp_path: Path) -> None:
    """A live roll with the trap in. The trap speaks when qtractor has ended."""
    log = tmp_path / "trap.log"
    insert = Insert(trap.bundles.clap, blob(*document(SONG)), MIX, [(0, 1.0), (STEP, 0.0)])
    session = write_session(qtractor.home / "trapped", "trapped", SONG, RATE, insert)
    with qtractor.opened(session, trap.environment(log)) as rolling:
        rolling.play(END / RATE)
        rolling.save()
        rolling.quit()
    assert caught(log) == []


def test_the_same_session_with_a_plugin_that_is_not_ours_and_with_none(qtractor: Studio) -> None:
    plain = write_session(qtractor.home / "plain", "plain", SONG, RATE, None)
    with qtractor.opened(plain) as rolling:
        assert np.array_equal(rolling.export()[:, EDGE : END - EDGE], SONG[:, EDGE : END - EDGE])
    assert CONTROL.exists(), "the control plugin is not here; install Debian's `zam-plugins` package"
    lane = Insert(CONTROL, None, ZAM_GAIN, [(0, 0.0), (STEP, 1.0)])
    with qtractor.opened(write_session(qtractor.home / "zam", "zam", SONG, RATE, lane)) as rolling:
        out = rolling.export()
    assert loudness(out[:, STEP + LATE :]) > 3 * loudness(out[:, EDGE:STEP])
