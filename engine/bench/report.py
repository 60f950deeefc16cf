"""What a run found, as a table to read and as JSON to keep."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final, TypeAlias

from engine.bench import machine
from engine.bench.frozen import FrozenCost
from engine.bench.latency import ControlLatency
from engine.bench.pairs import Percentiles, Ratio
from engine.bench.pipeline import StreamOverPipeline
from engine.bench.song import SongCost
from engine.bench.suite import Figure, Report
from engine.bench.tick import TickOverForwards
from engine.bench.window import WindowOverFull

FORMAT: Final = "demon-bench-engine"
VERSION: Final = 1

_THROUGHPUT: Final = {"eager": ">= 1.0", "compiled": ">= 1.4"}  # over the pipeline, which runs eager

Row: TypeAlias = tuple[str, str, str, str, str]
"""Figure, value, the same fastest over fastest, the same in processor time, target."""


def document(report: Report) -> dict[str, object]:
    """The report as plain values: dictionaries, lists, text and numbers."""
    figures: dict[str, object] = {
        backend: [{"kind": type(figure).__name__} | asdict(figure) for figure in found]
        for backend, found in report.figures.items()
    }
    plain: dict[str, object] = asdict(report)
    return {"format": FORMAT, "version": VERSION, **plain, "figures": figures}


def table(report: Report) -> str:
    """The report as Markdown."""
    threads = f"{report.threads} torch thread" + "s" * (report.threads != 1)
    lines = [f"{machine.line()}, {report.checkpoint}, {threads}", ""]
    lines += [
        "| figure | p5 / p50 / p95 | fastest | CPU time | target |",
        "|---|---|---|---|---|",
    ]
    for backend, figures in report.figures.items():
        for figure in figures:
            lines += [f"| {backend}: {' | '.join(row)} |" for row in _rows(backend, figure)]
    for peak in report.memory:
        what = f"{peak.work}, T = {peak.frames}" if peak.frames else peak.work
        lines.append(f"| {peak.backend}: peak memory, {what} | {peak.peak_mib:.0f} MiB |  |  |  |")
    lines += [f"\n{backend} could not be measured: {why}" for backend, why in report.missing.items()]
    return "\n".join(lines)


def _rows(backend: str, figure: Figure) -> Iterator[Row]:
    match figure:
        case TickOverForwards():
            name = f"tick / its {figure.forwards:g} forwards, {figure.load}, depth {figure.depth}, T = {figure.frames}"
            yield _ratio_row(name, figure.ratio, "<= 1.05")
            if figure.load == "plain":
                yield f"one forward, T = {figure.frames}", f"{_spread(figure.forward_ms, 1)} ms", "", "", ""
        case StreamOverPipeline():
            name = f"stream at depth {figure.depth} / AceStepPipeline, generations per second, T = {figure.frames}"
            yield _ratio_row(name, figure.throughput, _THROUGHPUT.get(backend, ""))
            yield _ratio_row(f"{name}, prompts encoded by both", figure.throughput_with_text, "")
        case ControlLatency():
            name = f"control change to first latent, depth {figure.depth}, {figure.steps} steps, T = {figure.frames}"
            ticks = f"{figure.ticks} ticks ({figure.ticks_at_most} where an admission was just missed)"
            yield f"{name}, results {figure.spacing} ticks apart", f"{ticks}, {_spread(figure.ms, 0)} ms", "", "", "7"
        case WindowOverFull():
            name = f"decode of W = {figure.window} of T = {figure.frames} frames / full decode x (W + 18) / T"
            yield _ratio_row(name, figure.over_share, "<= 1.1")
        case SongCost():
            target = "<= 1.1" if figure.region else ""
            name = f"{figure.way}, a second of {figure.long / 25:g} s of song / of {figure.short / 25:g} s"
            yield _ratio_row(name, figure.per_second, target)
            if figure.region:
                few, many = figure.regions
                name = f"{figure.way}, one of {many} regions of T = {figure.region} / one of {few}"
                yield _ratio_row(name, figure.per_region, target)
            name = f"{figure.way}, a second of {figure.long / 25:g} s of song"
            yield name, f"{_spread(figure.second_ms, 0)} ms", "", "", ""
        case FrozenCost():
            name = f"frozen context, {figure.window} frames of {figure.long / 25:g} s of song"
            yield _ratio_row(f"{name} / of {figure.short / 25:g} s", figure.over_short, "")
            yield _ratio_row(f"{name} / the full generation", figure.over_full, "")
            yield f"{name}, {figure.kept_mib[1]:.0f} MiB kept", f"{_spread(figure.window_ms, 0)} ms", "", "", ""


def _ratio_row(name: str, ratio: Ratio, target: str) -> Row:
    return (
        f"{name}, {ratio.pairs} pairs",
        _spread(ratio.of_pairs, 3),
        f"{ratio.of_fastest:.3f}",
        f"{ratio.of_cpu:.3f}",
        target,
    )


def _spread(values: Percentiles, digits: int) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in values)
