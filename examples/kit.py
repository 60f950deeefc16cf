"""What the examples share: two songs to work on, a command line and a WAV file."""

import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray

import engine

Audio: TypeAlias = NDArray[np.float32]
"""[2, N] float32 at 48 kHz."""

Example: TypeAlias = Callable[[engine.Session, Audio], Audio]
"""A song in, what the feature makes of it out."""

LOOP = Path(__file__).parents[1] / "demo" / "loop.flac"  # eight bars of house at 120 bpm in A minor, 16 s
BPM, KEY = 120, "A minor"


def loop(seconds: float) -> Audio:
    """The loop that comes with the repository, round and round, a whole number of pairs of latent frames long."""
    audio, _ = soundfile.read(LOOP, dtype="float32")
    return np.resize(audio, (_samples(seconds), 2)).T.copy()


def arpeggio(seconds: float) -> Audio:
    """Another song of the same tempo and key: bells that climb through the loop's chords, without a drum."""
    t = np.arange(_samples(seconds)) / engine.SAMPLE_RATE
    chords = np.array([[57, 60, 64, 67], [53, 57, 60, 64], [55, 60, 64, 71], [55, 59, 62, 64]])
    note = chords[(t // 2.0).astype(int) % 4, (t // 0.25).astype(int) % 4] + 12
    bell = np.sin(2 * np.pi * 440 * 2 ** ((note - 69) / 12) * t) * np.exp(-6 * (t % 0.25))
    return np.stack([0.4 * bell, 0.4 * np.roll(bell, 480)]).astype(np.float32)


def render(example: Example, session: engine.Session, seconds: float, out: Path) -> Path:
    """Run an example and write its WAV file, named after the example's own file."""
    file = out / f"{Path(inspect.getfile(example)).stem}.wav"
    out.mkdir(parents=True, exist_ok=True)
    audio = example(session, loop(seconds))
    soundfile.write(file, audio.T, engine.SAMPLE_RATE, subtype="FLOAT")
    return file


def run(example: Example) -> None:
    """The command line of an example."""

    def main(
        out: Annotated[Path, typer.Option(help="Folder for the WAV file.")] = Path("examples/out"),
        seconds: Annotated[float, typer.Option(min=2.0, max=600.0, help="How much of the loop to play.")] = 16.0,
        checkpoint: Annotated[str, typer.Option(help="Shipped name, folder or hub id.")] = "demon-tiny-1",
    ) -> None:
        with engine.Session.open(checkpoint) as session:
            began = time.perf_counter()
            file = render(example, session, seconds, out)
            took = time.perf_counter() - began
        print(f"{file}: {seconds:g} s in {took:.1f} s. {_first_line(example)}")

    typer.run(main)


def _samples(seconds: float) -> int:
    return round(seconds * engine.FRAME_RATE / 10) * 10 * engine.FRAME_SAMPLES


def _first_line(example: Any) -> str:
    return (inspect.getmodule(example).__doc__ or "").splitlines()[0]
