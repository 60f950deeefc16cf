"""What a run found, as a table to read and as JSON to keep."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from engine.bench import machine
from engine.evaluation.figures import Figure, Spread, Target
from engine.evaluation.suite import Report
from engine.evaluation.sweeps import Sweep

FORMAT: Final = "demon-eval"
VERSION: Final = 1


def document(report: Report) -> dict[str, object]:
    """The report as plain values: dictionaries, lists, text and numbers."""
    plain: dict[str, object] = asdict(report)
    plain["figures"] = [asdict(figure) | {"met": is_met(figure)} for figure in report.figures]
    plain["lanes"] = [asdict(sweep) | {"monotone": sweep.is_monotone} for sweep in report.lanes]
    return {"format": FORMAT, "version": VERSION, **plain}


def is_met(figure: Figure) -> bool | None:
    """Whether a figure reaches its target; None where it has none."""
    return None if figure.target is None else figure.target.is_met(figure.value.mean)


def table(report: Report) -> str:
    """The report as Markdown."""
    size = report.size
    much = f"{size.seeds} seed{'s' * (size.seeds != 1)}{', quick: too little to go by' * report.quick}"
    took = ", ".join(f"{room} {seconds:.0f} s" for room, seconds in report.took_s.items())
    lines = [f"{machine.line()}, {report.checkpoint}", f"{much}; {took}"]
    if report.figures:
        lines += ["", "| figure | measured | real clips | chance | target |", "|---|---|---|---|---|"]
        lines += [_row(figure) for figure in report.figures]
        parts = [line for figure in report.figures if figure.by for line in _parts(figure)]
        lines += ["", "In parts; real clips in brackets:", "", *parts]
    if report.lanes:
        lines += [
            "",
            "| lane | from .. to | what moves, at each value | rank correlation | dB of mel | of another seed |",
            "|---|---|---|---|---|---|",
            *(_lane(sweep) for sweep in report.lanes),
        ]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    met = "" if figure.target is None else f"{_target(figure.target, figure.unit)}: {'yes' if is_met(figure) else 'no'}"
    real, chance = (_optional(value, figure.unit) for value in (figure.real, figure.chance))
    return f"| {figure.says} | {_spread(figure.value, figure.unit)} | {real} | {chance} | {met} |"


def _parts(figure: Figure) -> Iterator[str]:
    cells: list[str] = []
    for name, value in figure.by.items():
        real = f" ({_number(figure.real_by[name], figure.unit)})" if name in figure.real_by else ""
        cells.append(f"{name} {_number(value, figure.unit)}{real}")
    yield f"- {figure.says}: {', '.join(cells)}"


def _lane(sweep: Sweep) -> str:
    at = f", {sweep.at}" if sweep.at else ""
    effects = " / ".join(f"{effect:.2f}" for effect in sweep.effect)
    odd = "" if sweep.is_monotone else ", not monotone"
    return (
        f"| {sweep.lane}{at} | {sweep.values[0]:g} .. {sweep.values[-1]:g} | {sweep.moves}: {effects}{odd} "
        f"| {_spread(sweep.correlation, '')} | {_spread(sweep.size, 'dB')} | {_spread(sweep.of_seed, '')} |"
    )


def _optional(value: float | None, unit: str) -> str:
    return "" if value is None else _number(value, unit)


def _spread(spread: Spread, unit: str) -> str:
    if spread.count < 2:
        return _number(spread.mean, unit)
    if unit == "%":
        return f"{spread.mean:.0%} ± {100 * spread.deviation:.0f}"
    digits = 2 if unit == "" else 1
    return f"{spread.mean:.{digits}f} ± {spread.deviation:.{digits}f}{f' {unit}' if unit else ''}"


def _number(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.0%}"
    return f"{value:.2f}" if unit == "" else f"{value:.1f} {unit}"


def _target(target: Target, unit: str) -> str:
    low, high = (None if limit is None else _number(limit, unit) for limit in (target.low, target.high))
    if low is not None and high is not None:
        return f"{low} .. {high}"
    return f">= {low}" if high is None else f"<= {high}"
