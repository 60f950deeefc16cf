"""Prompts: what a pass is told to sound like, encoded; it may change while the pass runs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from engine import average_conditionings

if TYPE_CHECKING:
    from engine import Conditioning

KEPT: Final = 8
"""Strengths of a timbre kept ready: the engine keeps what it derives from a conditioning, so one that stays is free."""


class Prompt:
    """One encoded prompt.

    Args:
        plain: without a timbre reference.
        timbred: with the reference in full, as many rows; None where there is none.
    """

    def __init__(self, plain: Conditioning, timbred: Conditioning | None = None) -> None:
        self.plain = plain
        self._timbred = timbred
        self._kept: OrderedDict[float, Conditioning] = OrderedDict()

    def at(self, strength: float) -> Conditioning:
        """The prompt with this share 0 .. 1 of the timbre reference; 0 and 1 are exactly without and with it."""
        if self._timbred is None or strength == 0.0:
            return self.plain
        if strength == 1.0:
            return self._timbred
        if strength not in self._kept:
            self._kept[strength] = average_conditionings(self.plain, self._timbred, strength)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(strength)
        return self._kept[strength]


@dataclass(frozen=True)
class Pair:
    """Prompt A, prompt B where it differs from A, and what guidance leads away from."""

    a: Prompt
    b: Prompt | None
    negative: Conditioning


@dataclass(frozen=True)
class Prompts:
    """All that may change under a running pass but parameters. Equal where every prompt was prepared but once.

    Attributes:
        main: prompts A and B.
        snapshots: the document's prompt snapshots in order, None where a slot is empty.
        seed: the document's.
        loras: the LoRA in each slot and a factor on its strength, None where one is empty; all are ready to act.
    """

    main: Pair
    snapshots: Sequence[Pair | None]
    seed: int
    loras: Sequence[tuple[str, float] | None]

    def pair(self, snapshot: int) -> Pair:
        """The prompts that the parameter `prompt_snapshot` stands for: 0 and an empty slot are A and B."""
        chosen = self.snapshots[snapshot - 1] if 0 < snapshot <= len(self.snapshots) else None
        return chosen or self.main
