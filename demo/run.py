"""`make demo`: the shipped loop through the VST3 in pedalboard, a host that we did not write.

Pass 1 plays the loop, and the plugin learns it. Pass 2 renders it offline with two lanes drawn. The sidecar, the plugin
and every setting are private to demo/out: nothing of the user's is read or written.

usage: .venv/bin/python demo/run.py
"""

import gc
import hashlib
import importlib.metadata
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from picture import draw
from rich.progress import Progress
from service import running_sidecar

import plugin_bridge
from engine.bench.machine import describe
from sidecar.cli.audio import read_stereo, write_wav
from sidecar.cli.output import ERR, OUT, progress
from sidecar.client import Client

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "out"
BLOCK = 512
PROMPTS = {"a": "house, kick, hats, saw bass", "b": "ambient, pad chords, fm bells"}
SEED = 7

Audio = NDArray[np.float32]
Lane = NDArray[np.float64]


@dataclass(frozen=True)
class Bounced:
    """What the two passes gave, and how long they took in seconds."""

    audio: Audio
    learn_s: float
    bounce_s: float
    host: str


def lanes(blocks: int) -> dict[str, Lane]:
    """The two lanes, one value for every block of the song."""
    song = (np.arange(blocks) + 0.5) / blocks
    return {"denoise": 0.2 + 0.8 * song, "prompt_blend": np.clip((song - 0.375) / 0.25, 0.0, 1.0)}


def bounce(bundle: Path, loop: Audio, rate: int, drawn: dict[str, Lane], bar: Progress) -> Bounced:
    """Learn the loop, then render it with the lanes.

    pedalboard never rolls its transport, so Free Run gives the plugin a song clock; a reset starts it at 0 again.
    """
    import pedalboard

    # pedalboard ships no types for a plugin's parameters
    plugin: Any = pedalboard.VST3Plugin(str(bundle))
    blocks = [np.ascontiguousarray(loop[:, at : at + BLOCK]) for at in range(0, loop.shape[1], BLOCK)]
    plugin.process(np.zeros((2, BLOCK), np.float32), rate, buffer_size=BLOCK, reset=True)  # activates it at this rate
    with Client(timeout_s=60.0) as client:
        client.set_state(wait_for_instance(client, rate), {"prompts": PROMPTS, "seed": SEED})
    plugin.parameters["free_run"].raw_value = 1.0

    started = time.perf_counter()
    task = bar.add_task("pass 1: the plugin learns the loop", total=len(blocks))
    for number, block in enumerate(blocks):
        plugin.process(block, rate, buffer_size=BLOCK, reset=number == 0)
        bar.advance(task)
    learned = time.perf_counter()

    task = bar.add_task("pass 2: offline bounce with two lanes", total=len(blocks))
    rendered: list[Audio] = []
    for number, block in enumerate(blocks):
        for key, values in drawn.items():
            plugin.parameters[key].raw_value = float(values[number])
        rendered.append(plugin.process(block, rate, buffer_size=BLOCK, reset=number == 0))
        bar.advance(task)
    done = time.perf_counter()
    host = f"pedalboard {importlib.metadata.version('pedalboard')}"
    del plugin
    gc.collect()  # unloads it now, before its sidecar ends
    return Bounced(np.concatenate(rendered, axis=1), learned - started, done - learned, host)


def wait_for_instance(client: Client, rate: int, limit_s: float = 30.0) -> str:
    """The id of the one plugin instance that is loaded, once it runs at `rate`."""
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        for entry in client.instances():
            if entry.rate == rate:
                return entry.instance
        time.sleep(0.05)
    raise SystemExit(f"error: the plugin did not reach the sidecar within {limit_s:g} s\nnext: read {RESULTS / 'run'}")


def check(dry: Audio, wet: Audio, rate: int) -> dict[str, float]:
    """Loudness and distance of the two; ends the demo when the bounce is not what a bounce has to be."""
    figures = {
        "dry_rms": float(np.sqrt(np.mean(np.square(dry)))),
        "bounce_rms": float(np.sqrt(np.mean(np.square(wet)))),
        "difference_rms": float(np.sqrt(np.mean(np.square(wet - dry)))),
        "bounce_peak": float(np.abs(wet).max()),
    }
    wet_seconds, dry_seconds = in_seconds(wet, rate), in_seconds(dry, rate)
    loud = np.sqrt(np.mean(np.square(wet_seconds), axis=(0, 2)))
    change = np.sqrt(np.mean(np.square(wet_seconds - dry_seconds), axis=(0, 2)))
    problem = None
    if not np.isfinite(wet).all():
        problem = "the bounce holds values that are no numbers"
    elif loud.min() < 0.003:
        problem = f"second {loud.argmin()} of the bounce is silent (rms {loud.min():.5f})"
    elif change.min() < 0.05 * figures["dry_rms"]:
        problem = f"second {change.argmin()} of the bounce is the dry loop: the plugin rendered nothing there"
    if problem:
        raise SystemExit(f"error: {problem}\nnext: read the logs in {RESULTS / 'run'}")
    return figures


def in_seconds(audio: Audio, rate: int) -> Audio:
    """[2, N] as [2, seconds, rate], without what is less than a second."""
    return audio[:, : audio.shape[1] // rate * rate].reshape(2, -1, rate)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def report(
    plugin: str, dry: Audio, done: Bounced, rate: int, figures: dict[str, float], timings: dict[str, float]
) -> dict[str, object]:
    seconds = dry.shape[1] / rate
    return {
        "machine": describe(),
        "host": done.host,
        "plugin": {"format": "VST3", "sha256": plugin},
        "parameters": {"prompts": PROMPTS, "seed": SEED, "block": BLOCK, "rate": rate, "seconds": seconds},
        "lanes": {"denoise": "0.2 to 1 over the loop", "prompt_blend": "0 to 1 between 6 s and 10 s"},
        "timings_s": {key: round(value, 3) for key, value in timings.items()},
        "bounce_speed_x_real_time": round(seconds / done.bounce_s, 3),
        "levels": {key: round(value, 5) for key, value in figures.items()},
        "sha256_of_samples": {
            "dry": sha256(dry.T.astype("<f4").tobytes()),
            "bounce": sha256(done.audio.T.astype("<f4").tobytes()),
        },
    }


def main() -> None:
    begun = time.perf_counter()
    RESULTS.mkdir(exist_ok=True)
    os.environ["DEMON_RUN_DIR"] = str(RESULTS / "run")
    os.environ["DEMON_LAUNCH_FILE"] = str(RESULTS / "launch.json")
    with ERR.status("building the plugin (the first time takes a few minutes)"):
        plugin = plugin_bridge.build(RESULTS / "bundles")
    done = plugin_bridge.install(RESULTS / "bundles", vst3_dir=RESULTS / "plugins", clap_dir=RESULTS / "plugins")
    built = time.perf_counter()

    dry, rate = read_stereo(HERE / "loop.flac")
    drawn = lanes(-(-dry.shape[1] // BLOCK))
    ERR.print("starting the sidecar")
    with running_sidecar(RESULTS / "run"):
        ready = time.perf_counter()
        with progress() as bar:
            bounced = bounce(done.vst3, dry, rate, drawn, bar)
    figures = check(dry, bounced.audio, rate)

    write_wav(RESULTS / "dry.wav", dry, rate)
    write_wav(RESULTS / "bounce.wav", bounced.audio, rate)
    names = {"denoise": "Denoise", "prompt_blend": f"Prompt Blend: {PROMPTS['a']} → {PROMPTS['b']}"}
    title = f"demo/loop.flac through DEMON.vst3 in {bounced.host}"
    draw(RESULTS / "bounce.png", dry, bounced.audio, rate, {names[key]: values for key, values in drawn.items()}, title)
    timings = {
        "build_and_install": built - begun,
        "sidecar_start": ready - built,
        "learn": bounced.learn_s,
        "bounce": bounced.bounce_s,
        "total": time.perf_counter() - begun,
    }
    content = report(plugin.sha256, dry, bounced, rate, figures, timings)
    (RESULTS / "report.json").write_text(json.dumps(content, indent=2) + "\n")
    ERR.print(f"bounced {dry.shape[1] / rate:g} s in {bounced.bounce_s:.1f} s")
    for name in ("bounce.wav", "dry.wav", "report.json", "bounce.png"):
        OUT.print(str(RESULTS / name), markup=False)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        fix = getattr(error, "fix", None)
        if not isinstance(fix, str):
            raise
        sys.exit(f"error: {getattr(error, 'text', error)}\nnext: {fix}")
