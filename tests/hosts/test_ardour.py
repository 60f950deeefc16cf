"""Ardour 7 without a screen: insert on a track, a lane in the session, save, reopen, export; learn by playing."""

from pathlib import Path

import numpy as np
import pytest
from ardour_session import Ardour, environment_of, installed, place_audio
from bridge_rig import Rig
from clip import music
from numpy.typing import NDArray
from plugin_state import blob, vstpreset
from scenes import LONGEST_LAG, RATE, SONG, distance, document, loudness
from trap_build import Trap, caught

from plugin_bridge.bundles import NAME

pytestmark = pytest.mark.ardour

VENDOR = "DEMON Bridge"
CONTROL = Path("/usr/lib/vst3/ZamEQ2.vst3")  # Debian's zam-plugins: a plugin that is not ours
STEP, END = SONG.shape[1] // 2, SONG.shape[1]
WITH_SOURCE, TO_LEARN, LATE, AHEAD = "With Source", "To Learn", "Late", "Ahead"
LOOK_AHEAD, LONG_AHEAD = 0.1, 2.4
LONG = music(6.0, RATE)
SPREAD = 20 * RATE // 25  # how far a look-ahead's spans cross over, which a change is heard before its frame
RISE = 480  # Ardour keeps points to 1/1920 of a beat: two that make a step need more than 12.5 samples between them
LANES = {
    "lane": f"Denoise=0:0.1,{STEP - RISE}:0.1,{STEP}:0.9,{END}:0.9",
    "control": f"Denoise=0:0.1,{END}:0.1",
    "dry": f"Mix=0:0,{END}:0",
}


@pytest.fixture(scope="module")
def ardour(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Ardour:
    """A home with the bundle scanned and two presets: a state with its source, and one that has yet to learn."""
    assert installed(), "Ardour is not here; install Debian's `ardour` package, then run the tests again"
    daw = Ardour(tmp_path_factory.mktemp("ardour") / "home", environment_of(rig.environment()))
    daw.install(rig.bundles.vst3)
    for label, song in ((WITH_SOURCE, SONG), (TO_LEARN, None)):
        daw.add_preset(VENDOR, NAME, label, vstpreset(blob(*document(song)), rig.class_id))
    late = document(look_ahead=LOOK_AHEAD, parameters={"bypass": 1.0})
    daw.add_preset(VENDOR, NAME, LATE, vstpreset(blob(*late), rig.class_id))
    daw.add_preset(VENDOR, NAME, AHEAD, vstpreset(blob(*document(look_ahead=LONG_AHEAD)), rig.class_id))
    return daw


def session(
    daw: Ardour, name: str, preset: str, lane: str, plugin: str = NAME, song: NDArray[np.float32] = SONG
) -> tuple[Path, str]:
    """A saved session: a track with the song, the plugin inserted, the lane drawn. Returns (folder, what Lua said)."""
    folder = daw.home.parent / name
    said = daw.lua("insert.lua", folder, name, RATE, plugin, preset, lane)
    assert 'type="vst3"' in (folder / f"{name}.ardour").read_text()
    place_audio(folder, song, RATE)
    return folder, said


@pytest.fixture(scope="module")
def exports(ardour: Ardour) -> dict[str, np.ndarray]:
    """Each lane's session, reopened and bounced."""
    sounds = {}
    for name, lane in LANES.items():
        folder, _ = session(ardour, name, WITH_SOURCE, lane)
        sounds[name] = ardour.export(folder, ardour.home.parent / f"{name}.wav")
    again = ardour.home.parent / "lane-again.wav"
    sounds["again"] = ardour.export(ardour.home.parent / "lane", again)
    return sounds


def test_the_dry_twin_is_the_track(exports: dict[str, np.ndarray]) -> None:
    assert exports["dry"].shape == SONG.shape
    assert np.array_equal(exports["dry"], SONG)


def test_an_export_is_wet(exports: dict[str, np.ndarray]) -> None:
    assert distance(exports["lane"], SONG) > 0.05
    assert loudness(exports["lane"]) > 0.1 * loudness(SONG)


def test_a_lane_in_the_session_acts_after_its_step_and_not_before(exports: dict[str, np.ndarray]) -> None:
    lane, control = exports["lane"], exports["control"]
    assert np.array_equal(lane[:, : STEP - RISE], control[:, : STEP - RISE])
    late = STEP + LONGEST_LAG * RATE // 25
    assert distance(lane[:, late:], control[:, late:]) > 0.005


def test_exporting_twice_gives_the_same_audio(exports: dict[str, np.ndarray]) -> None:
    assert exports["again"].tobytes() == exports["lane"].tobytes()


def test_a_look_ahead_is_compensated_so_that_the_track_stays_where_it_was(ardour: Ardour) -> None:
    folder, _ = session(ardour, "late", LATE, "")
    latency = round(LOOK_AHEAD * RATE)
    assert f"latency {latency}" in ardour.lua("latency.lua", folder, "late")
    assert np.array_equal(ardour.export(folder, folder.with_suffix(".wav")), SONG)


def test_with_a_look_ahead_the_first_export_is_wet_and_lanes_land_the_look_ahead_late(ardour: Ardour) -> None:
    """Ardour tells a plugin the position of what leaves it, and draws its lanes at that: what came in is further."""
    end, latency, at = LONG.shape[1], round(LONG_AHEAD * RATE), RATE
    lanes = {
        "ahead": f"Denoise=0:0.1,{at - RISE}:0.1,{at}:0.9,{end}:0.9",
        "ahead-still": f"Denoise=0:0.1,{end}:0.1",
    }
    sounds = {}
    for name, lane in lanes.items():
        folder, _ = session(ardour, name, AHEAD, lane, song=LONG)
        sounds[name] = ardour.export(folder, folder.with_suffix(".wav"))
    lane, still = sounds.values()
    assert all(distance(lane[:, k : k + RATE], LONG[:, k : k + RATE]) > 0.05 for k in range(0, end, RATE))
    lands = at + latency
    assert np.array_equal(lane[:, : lands - SPREAD], still[:, : lands - SPREAD])
    assert distance(lane[:, lands + SPREAD :], still[:, lands + SPREAD :]) > 0.05


def test_playing_once_learns_and_the_reopened_session_exports_what_it_learned(ardour: Ardour) -> None:
    folder, _ = session(ardour, "learning", TO_LEARN, "")
    before = ardour.export(folder, folder.with_suffix(".before.wav"))
    assert np.array_equal(before, SONG), "there was a source before anything was played"
    ardour.lua("play.lua", folder, "learning", END / RATE + 0.5, 3)
    after = ardour.export(folder, folder.with_suffix(".after.wav"))
    assert distance(after, SONG) > 0.05


def test_nothing_forbidden_happens_on_ardours_audio_thread(rig: Rig, trap: Trap, tmp_path: Path) -> None:
    """A live roll on the Dummy backend with the trap in."""
    log = tmp_path / "trap.log"
    environment = environment_of(rig.environment()) | trap.environment(log)
    daw = Ardour(tmp_path / "home", environment)
    daw.install(trap.bundles.vst3)
    daw.add_preset(VENDOR, NAME, WITH_SOURCE, vstpreset(blob(*document(SONG)), rig.class_id))
    folder, _ = session(daw, "trapped", WITH_SOURCE, LANES["lane"])
    daw.lua("play.lua", folder, "trapped", END / RATE, 1)
    assert caught(log) == []


def test_the_same_session_with_a_plugin_that_is_not_ours(ardour: Ardour) -> None:
    """Where this fails too, the trouble is the host's or the test's."""
    assert CONTROL.exists(), "the control plugin is not here; install Debian's `zam-plugins` package"
    ardour.install(CONTROL)
    lane = f"Master Gain=0:-12,{STEP - RISE}:-12,{STEP}:12,{END}:12"
    folder, _ = session(ardour, "control-plugin", "", lane, "ZamEQ2")
    out = ardour.export(folder, folder.with_suffix(".wav"))
    assert loudness(out[:, STEP:]) > 3 * loudness(out[:, : STEP - RISE])
