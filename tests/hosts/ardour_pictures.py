"""The pictures of docs/first-session.md. usage: ardour_pictures.py FOLDER

The session is made as the host tests make theirs; everything after that is what a person does with mouse and keyboard.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from ardour_desk import Desk, open_session, until
from ardour_session import Ardour, environment_of, place_audio
from bridge_rig import Bundles, Rig
from parameter_table import ROOT

from plugin_bridge import bundles

PROMPT = "dub techno, deep chords, tape delay"
NAME = "first"
LOOP = 16.0  # seconds

# Where Ardour 7.3 has its buttons, in pixels from its window's corner, and the first insert of the first strip.
START, PLAY, STOP = (62, 44), (157, 44), (182, 44)
EDIT, MIX = (1327, 44), (1327, 72)
INSERT, BELOW = (329, 217), (331, 252)
NEW_PLUGIN, BY_CREATOR = (384, 412), (637, 473)
PROMPT_A = (248, 158)
MENU = (270, 100, 920, 640)  # of the screen


def prepare(daw: Ardour) -> Path:
    """A saved session: the demo's loop on a track, the plugin on it, a lane of Denoise."""
    loop, rate = soundfile.read(ROOT / "demo" / "loop.flac", dtype="float32", always_2d=True)
    end = len(loop)
    lane = f"Denoise=0:0.2,{end // 2}:0.3,{3 * end // 4}:1.0,{end}:1.0"
    session = daw.home.parent / NAME
    daw.lua("insert.lua", session, NAME, rate, bundles.NAME, "", lane)
    place_audio(session, np.ascontiguousarray(loop.T), rate)
    return session


def said(rig: Rig, words: str) -> None:
    """Waits until the plugin's log has the words."""
    log = rig.run_dir / "plugin.log"
    until(f"'{words}' in the plugin's log", lambda: log.exists() and words in log.read_text())


def take(desk: Desk, rig: Rig, to: Path) -> None:
    main = desk.window(f"^\\*?{NAME} - Ardour")
    time.sleep(5.0)
    desk.put(main, 0, 20)
    desk.picture(main, to / "ardour-lane.png")

    desk.click(main, *MIX)
    desk.click(main, *BELOW, button=3)
    desk.click(main, *NEW_PLUGIN)
    desk.click(main, *BY_CREATOR)
    desk.picture("root", to / "ardour-insert.png", MENU)
    desk.xdotool("key", "Escape", "Escape", "Escape")

    said(rig, "Nothing learned yet")
    desk.click(main, *INSERT, times=2)
    window = desk.window("DEMON .by DEMON Bridge")
    desk.put(window, 480, 240)
    desk.click(main, *PLAY)
    time.sleep(LOOP + 1.0)
    desk.click(main, *STOP)  # only then has it learned: the song might have gone on
    said(rig, " ready")
    desk.click(main, *START)
    desk.click(window, *PROMPT_A)
    desk.write(PROMPT)
    desk.click(main, *PLAY)
    time.sleep(14.0)
    desk.picture(window, to / "ardour-window.png")


def main() -> None:
    to = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="demon-pictures-") as folder:
        built = bundles.default_folder()
        rig = Rig(Path(folder), Bundles(built / bundles.VST3, built / bundles.CLAP))
        daw = Ardour(Path(folder) / "ardour" / "home", environment_of(rig.environment()))
        try:
            daw.install(rig.bundles.vst3)
            with open_session(daw, prepare(daw)) as desk:
                take(desk, rig, to)
        finally:
            rig.stop()


if __name__ == "__main__":
    main()
