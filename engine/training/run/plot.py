"""The picture of a run: its losses, and its figures on held-out data, over its steps."""

from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngineError
from engine.training.run.log import Row, read

_WINDOW: Final = 50  # steps that a point of a loss is the mean of
_HIDDEN: Final = frozenset({"step", "seconds"})


def draw(folder: Path) -> Path:
    """Draw a run's log into `log.png` beside it.

    Returns:
        The picture.

    Raises:
        EngineError: matplotlib is missing, or nothing was logged.
    """
    try:
        import matplotlib.figure
    except ImportError as error:
        raise EngineError(
            "matplotlib is not installed.", "Install the extra: pip install 'demon-bridge[host]'."
        ) from error
    path = folder / "log.jsonl"
    rows = read(path) if path.is_file() else []
    if not rows:
        raise EngineError(f"{path} holds no step.", "Train that part first.")
    figure: Any = cast(Any, matplotlib.figure).Figure(figsize=(11, 5), layout="constrained")
    losses, figures = figure.subplots(1, 2)
    for name in sorted({name for row in rows for name in row} - _HIDDEN):
        steps, values = _series(rows, name)
        if name.startswith("held-out "):
            figures.plot(steps, values, marker=".", label=name.removeprefix("held-out "))
        else:
            losses.semilogy(_smooth(steps), np.maximum(_smooth(values), 1e-6), label=name)
    for axes, title in ((losses, "training"), (figures, "held out")):
        axes.set(title=title, xlabel="step")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small")
    out = folder / "log.png"
    figure.savefig(out, dpi=90)
    return out


def _series(rows: list[Row], name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of a step that was done twice, after a break, the second counts."""
    values = {row["step"]: row[name] for row in rows if name in row}
    return np.array(list(values)), np.array(list(values.values()))


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    window = min(_WINDOW, max(1, values.size // 4))
    return np.convolve(values, np.full(window, 1.0 / window), "valid")
