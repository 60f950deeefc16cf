"""Prompts: what a pass is told to sound like, encoded; it may change while the pass runs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from engine import average_conditionings
from engine.text.format import MAX_BPM, MIN_BPM, TIME_SIGNATURES

if TYPE_CHECKING:
    from engine import Conditioning
    from sidecar.fields import Fields, Song

KEPT: Final = 8
"""Strengths of a timbre kept ready: the engine keeps what it derives from a conditioning, so one that stays is free."""


class Texts(Protocol):
    """Prompt A and prompt B as a document has them."""

    @property
    def a(self) -> str:
        """Prompt A."""
        ...

    @property
    def b(self) -> str:
        """Prompt B; empty means the same as A."""
        ...


@dataclass(frozen=True)
class Facts:
    """What a prompt says about the song, as `engine.Session.embed_text` takes it; None says nothing."""

    bpm: int | None = None
    key: str | None = None
    metre: str | None = None


@dataclass(frozen=True)
class Asked:
    """Everything that a prompt's text is made of."""

    text: str
    task: str
    frames: int
    facts: Facts


def facts_of(song: Song, bpm: float | None, beats: int | None) -> Facts:
    """What a document's prompts say; what follows the host says nothing where the model was never told such a value.

    Args:
        song: of the document.
        bpm, beats: the host's tempo and beats per bar, None where it does not say.
    """
    followed = None if bpm is None or not MIN_BPM <= round(bpm) <= MAX_BPM else round(bpm)
    tempo = followed if song.tempo == "follow" else None if song.tempo is None else round(song.tempo)
    counted = str(beats) if str(beats) in TIME_SIGNATURES else None
    key = song.key.strip()
    return Facts(tempo, key[:1].upper() + key[1:].lower() or None, counted if song.metre == "follow" else song.metre)


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
        loras: names of the LoRAs in the slots, None where one is empty; all of them are ready to act.
    """

    main: Pair
    snapshots: Sequence[Pair | None]
    seed: int
    loras: Sequence[str | None]

    def pair(self, snapshot: int) -> Pair:
        """The prompts that the parameter `prompt_snapshot` stands for: 0 and an empty slot are A and B."""
        chosen = self.snapshots[snapshot - 1] if 0 < snapshot <= len(self.snapshots) else None
        return chosen or self.main


def said(fields: Fields) -> tuple[object, ...]:
    """The part of a document that `Prompts` are made of, but for the timbre reference."""
    return (fields.prompts, fields.snapshots, fields.song, fields.seed, fields.loras)
