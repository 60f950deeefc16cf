"""The picture of the demo: dry and bounced sound under the lanes that were drawn, on one time axis."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Audio = NDArray[np.float32]

INK, PAPER, GRID = "#e8e6e3", "#14161a", "#2c3038"
DRY, WET = "#8b93a7", "#ffb454"
LANE_COLOURS = ("#59c2ff", "#d2a6ff")
FLOOR_DB = -75


def draw(
    path: Path, dry: Audio, bounce: Audio, rate: int, lanes: Mapping[str, NDArray[np.float64]], title: str
) -> None:
    """Write a PNG with the lanes, both waveforms and both spectrograms.

    Args:
        dry, bounce: [2, N] float32.
        lanes: by the name to show, values 0 .. 1 equally spaced over the N samples.
    """
    seconds = dry.shape[1] / rate
    with plt.rc_context({"font.size": 11, "text.color": INK, "axes.labelcolor": INK, "font.family": "DejaVu Sans"}):
        figure, axes = plt.subplots(
            5,
            1,
            figsize=(14, 9.6),
            sharex=True,
            facecolor=PAPER,
            height_ratios=[1.1, 0.8, 1.5, 0.8, 1.5],
            layout="constrained",
        )
        figure.suptitle(title, x=0.012, ha="left", fontsize=14, fontweight="bold")
        for axis in axes:
            _style(axis)
        _lanes(axes[0], lanes, seconds)
        _waveform(axes[1], dry, rate, DRY, "dry")
        _spectrogram(axes[2], dry, rate, lanes, seconds)
        _waveform(axes[3], bounce, rate, WET, "bounce")
        _spectrogram(axes[4], bounce, rate, lanes, seconds)
        axes[4].set_xlabel("song time (s)")
        axes[4].set_xlim(0, seconds)
        figure.savefig(path, dpi=110, facecolor=PAPER)
        plt.close(figure)


def _style(axis: Axes) -> None:
    axis.set_facecolor(PAPER)
    axis.tick_params(colors=INK, length=3, labelsize=9)
    for spine in axis.spines.values():
        spine.set_color(GRID)


def _lanes(axis: Axes, lanes: Mapping[str, NDArray[np.float64]], seconds: float) -> None:
    for (name, values), colour in zip(lanes.items(), LANE_COLOURS, strict=False):
        axis.plot(np.linspace(0, seconds, len(values)), values, color=colour, linewidth=2.2, label=name)
    axis.set_ylim(-0.05, 1.08)
    axis.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    axis.grid(color=GRID, linewidth=0.6)
    axis.set_ylabel("lanes")
    axis.legend(loc="upper left", frameon=False, ncols=2, labelcolor="linecolor")


def _waveform(axis: Axes, audio: Audio, rate: int, colour: str, name: str) -> None:
    """The envelope, one bar of minimum to maximum for every 8 ms."""
    step = rate // 125
    mono = audio.mean(axis=0)
    bars = mono[: len(mono) // step * step].reshape(-1, step)
    time = (np.arange(len(bars)) + 0.5) * step / rate
    axis.fill_between(time, bars.min(axis=1), bars.max(axis=1), color=colour, linewidth=0)
    axis.set_ylim(-1, 1)
    axis.set_yticks([-1, 0, 1])
    axis.grid(color=GRID, linewidth=0.6, axis="x")
    axis.set_ylabel(name, color=colour)


def _spectrogram(axis: Axes, audio: Audio, rate: int, lanes: Mapping[str, NDArray[np.float64]], seconds: float) -> None:
    size, hop = 4096, 480
    mono = np.pad(audio.mean(axis=0), size // 2)
    pieces = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size)
    power = np.abs(np.fft.rfft(pieces, axis=1)).T / (size / 4)
    decibels = 20 * np.log10(np.maximum(power, 1e-9))
    hertz = np.fft.rfftfreq(size, 1 / rate)
    keep = (hertz >= 30) & (hertz <= 12_000)
    axis.pcolormesh(
        np.linspace(0, seconds, decibels.shape[1]),
        hertz[keep],
        decibels[keep],
        cmap="magma",
        vmin=FLOOR_DB,
        vmax=-5,
        rasterized=True,
    )
    axis.set_yscale("log")
    axis.set_yticks([50, 200, 1000, 5000], ["50", "200", "1 k", "5 k"])
    axis.minorticks_off()
    axis.set_ylabel("Hz")
    over = axis.twinx()
    over.set_ylim(-0.05, 1.08)
    over.set_yticks([])
    for values, colour in zip(lanes.values(), LANE_COLOURS, strict=False):
        over.plot(np.linspace(0, seconds, len(values)), values, color=colour, linewidth=1.4, alpha=0.9)
