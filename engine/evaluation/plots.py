"""Pictures for a model card: a generation of each style under its beat grid, the lanes, the sweep of covers."""

from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.constants import FRAME_RATE
from engine.errors import EngineError
from engine.evaluation.figures import Figure
from engine.evaluation.prompts import PARTS, Case
from engine.evaluation.spectra import MEL_BANDS, band_of, log_mel
from engine.evaluation.suite import Report
from engine.evaluation.sweeps import Sweep
from engine.evaluation.text import generate
from engine.session import Session
from engine.training.music.harmony import Key

_FRAMES: Final = 200  # 8 s: four bars of techno
_BEATS: Final = (12.0, 12.0, 16.0, 16.0, 10.0, 12.0)  # frames of a beat: a usual one of each style
_COLUMNS: Final = 4
_TICKS: Final = (200, 1_000, 4_000, 12_000)  # Hz


def check() -> None:
    """Find out whether pictures can be drawn, before anything is measured.

    Raises:
        EngineError: matplotlib is not installed.
    """
    _pyplot()


def draw(folder: Path, session: Session, report: Report) -> list[Path]:
    """Write `styles.png`, and `lanes.png` and `cover.png` where they were measured.

    Args:
        folder: is made if it is not there.
        session: of the checkpoint, to generate the styles with.
        report: of the same checkpoint.

    Returns:
        The files.

    Raises:
        EngineError: matplotlib is not installed.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = [_styles(folder / "styles.png", session, _FRAMES // 4 if report.quick else _FRAMES)]
    if report.lanes:
        drawn.append(_lanes(folder / "lanes.png", report.lanes))
    sweeps = [figure for figure in report.figures if figure.name in ("cover.latent", "cover.mel", "cover.onsets")]
    if sweeps:
        drawn.append(_cover(folder / "cover.png", sweeps))
    return drawn


def _styles(path: Path, session: Session, frames: int) -> Path:
    """A bar starts at each bright line, a beat at each faint one."""
    figure, axes = _pyplot().subplots(len(PARTS), 1, figsize=(13, 2.1 * len(PARTS)), sharex=True, layout="constrained")
    for number, (axis, style, beat) in enumerate(zip(axes, PARTS, _BEATS, strict=True)):
        case = Case(style, beat, Key(9, "minor"), number)
        mel = log_mel(generate(session, case, frames, seed=1))
        seconds = frames / FRAME_RATE
        axis.imshow(mel.T, origin="lower", aspect="auto", extent=(0, seconds, 0, MEL_BANDS), vmin=-70, vmax=-5)
        for line in range(int(frames / beat) + 1):
            bar = line % 4 == 0
            axis.axvline(
                line * beat / FRAME_RATE, color="white", linewidth=1.0 if bar else 0.5, alpha=0.9 if bar else 0.4
            )
        axis.set_xlim(0, seconds)
        axis.set_yticks([band_of(hertz) for hertz in _TICKS], [f"{hertz:g}" for hertz in _TICKS])
        axis.set_ylabel(style)
        axis.set_title(f"{', '.join((style, *PARTS[style]))}, {case.bpm:.0f} bpm", loc="left", fontsize=9)
    axes[-1].set_xlabel("seconds; frequencies in Hz")
    return _written(figure, path)


def _lanes(path: Path, lanes: list[Sweep]) -> Path:
    rows = -(-len(lanes) // _COLUMNS)
    figure, axes = _pyplot().subplots(rows, _COLUMNS, figsize=(13, 2.6 * rows), layout="constrained", squeeze=False)
    for axis in axes.flat[len(lanes) :]:
        axis.set_visible(False)
    for axis, sweep in zip(axes.flat, lanes, strict=False):
        axis.plot(sweep.values, sweep.effect, marker="o")
        axis.set_title(f"{sweep.lane}{f', {sweep.at}' if sweep.at else ''}", fontsize=10)
        axis.set_xlabel(f"rank correlation {sweep.correlation.mean:.2f}", fontsize=8)
        axis.set_ylabel(sweep.moves, fontsize=8)
        axis.grid(visible=True, linewidth=0.4)
    return _written(figure, path)


def _cover(path: Path, sweeps: list[Figure]) -> Path:
    figure, axis = _pyplot().subplots(figsize=(7, 4), layout="constrained")
    for sweep in sweeps:
        strengths = [float(strength) for strength in sweep.by]
        axis.plot([0.0, *strengths], [1.0, *sweep.by.values()], marker="o", label=sweep.name.partition(".")[2])
    axis.set_xlabel("denoise")
    axis.set_ylabel("correlation with the source")
    axis.set_ylim(min(0.0, *(float(np.min(list(sweep.by.values()))) for sweep in sweeps)), 1.05)
    axis.grid(visible=True, linewidth=0.4)
    axis.legend()
    return _written(figure, path)


def _written(figure: Any, path: Path) -> Path:
    figure.savefig(path, dpi=110)
    _pyplot().close(figure)
    return path


def _pyplot() -> Any:
    try:
        import_module("matplotlib").use("Agg")  # no screen is needed
    except ModuleNotFoundError:
        fix = "Install the extra `host`, as `make setup` does: pip install 'demon-bridge[host]'."
        raise EngineError("Pictures need matplotlib, which is not installed.", fix) from None
    return import_module("matplotlib.pyplot")
