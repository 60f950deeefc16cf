"""The documents, lanes and steps that several host tests share."""

from typing import Any

import numpy as np
from clip import music
from numpy.typing import NDArray
from plugin_state import canonical_source

RATE = 48000
SONG = music(3.0, RATE)

# Four steps, a tick every two frames: a third of the default clock's work, so that the whole matrix fits into minutes.
CLOCK = {"tick_frames": 2, "depth": 2, "steps": 4, "lead_frames": 10}

# docs/latency.md: the longest way from a knob to its first sound, in frames, with this clock.
LONGEST_LAG = CLOCK["tick_frames"] * (1 + CLOCK["steps"] // CLOCK["depth"] + CLOCK["steps"] - 1) + 10 + 10

LIVE_VALUES = {"mix": 1.0, "output_gain": 0.0, "denoise": 0.8, "prompt_blend": 0.0, "hint_strength": 1.0}

# A lane set that moves every kind of parameter. Every lane starts at sample 0: a pass owes nothing to the one before.
LANES = [
    [0, "denoise", 0.3],
    [0, "prompt_blend", 0.0],
    [0, "velocity_scale", 1.0],
    [0, "mix", 1.0],
    [0, "output_gain", 12.0],
    [0, "true_peak", 2.0],
    [0, "loudness_match", 1.0],
    [24_000, "denoise", 0.9],
    [30_001, "output_gain", -6.0],
    [48_111, "prompt_blend", 0.75],
    [70_000, "velocity_scale", 0.9],
    [80_000, "true_peak", 0.0],
    [84_000, "loudness_match", 0.0],
    [90_000, "true_peak", 2.0],
    [91_000, "loudness_match", 1.0],
    [96_000, "mix", 0.5],
    [110_000, "output_gain", 9.0],
    [120_003, "bypass", 1.0],
    [132_000, "bypass", 0.0],
]


def document(song: NDArray[np.float32] | None = None, rate: int = RATE, **more: Any) -> tuple[dict[str, Any], tuple]:
    """A state document (and its sources): source mode File when a song is given, else Learn."""
    sources = (canonical_source(song, rate),) if song is not None else ()
    parameters = {**LIVE_VALUES, "source_mode": 1.0 if sources else 0.0}
    base = {
        "parameters": {**parameters, **more.pop("parameters", {})},
        "prompts": {"a": "warm electronic loop", "b": "harsh distorted drums"},
        "seed": 7,
        # What hosts claim while nobody sets a tempo differs, and prompts would follow.
        "song": {"tempo": None, "metre": None},
        "clock": CLOCK,
        **({"file": sources[0].entry} if sources else {}),
    }
    return {**base, **more}, sources


def bounce(out: str, audio: NDArray[np.float32] = SONG, **more: Any) -> dict[str, Any]:
    """An offline pass through the whole of `audio`, in any host."""
    return {"do": "bounce", "audio": audio, "out": f"{out}.npy", **more}


def loudness(audio: NDArray[np.float32]) -> float:
    """Root mean square over everything."""
    return float(np.sqrt(np.mean(np.square(audio, dtype=np.float64))))


def distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Largest difference of two sounds, over the samples that both have."""
    count = min(a.shape[1], b.shape[1])
    return float(np.abs(a[:, :count] - b[:, :count]).max())
