"""Captions: tags as people write them."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from engine.training.music.harmony import SPELLINGS, Key
from engine.training.music.score import Tags
from engine.training.music.styles import DRUMS

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "kick": ("kick", "kick drum", "punchy kick"),
    "snare": ("snare", "snare drum"),
    "clap": ("clap", "claps"),
    "rim": ("rim", "rimshot"),
    "hats": ("hats", "hi-hats", "closed hats"),
    "open hat": ("open hat", "open hi-hat"),
    "shaker": ("shaker",),
    "saw bass": ("saw bass", "rolling bass", "bass"),
    "square bass": ("square bass", "bass"),
    "sub bass": ("sub bass", "deep bass", "bass"),
    "reese bass": ("reese bass", "growling bass", "bass"),
    "acid bass": ("acid bass", "acid line", "303 bass"),
    "strings": ("strings", "string ensemble"),
    "organ": ("organ", "house organ"),
    "marimba": ("marimba", "marimba melody"),
    "pluck": ("pluck", "plucks", "arpeggio"),
    "stab": ("stab", "chord stabs"),
    "pad": ("pad", "pads", "warm pad", "pad chords"),
    "piano": ("piano", "piano chords"),
    "electric piano": ("electric piano", "rhodes", "keys"),
    "bells": ("bells", "bell melody", "fm bells"),
    "square lead": ("square lead", "8-bit lead"),
    "chip arp": ("chip arp", "8-bit arpeggio"),
}
"""What each part is called."""

_STYLES: Final[Mapping[str, tuple[str, ...]]] = {
    "techno": ("techno",),
    "house": ("house", "deep house"),
    "ambient": ("ambient", "ambient soundscape"),
    "lofi": ("lofi", "lofi hip hop", "chillhop"),
    "drum and bass": ("drum and bass", "dnb", "jungle"),
    "chiptune": ("chiptune", "8-bit", "video game music"),
}

_MOODS: Final[Mapping[str, tuple[str, ...]]] = {"minor": ("dark", "moody"), "major": ("bright", "uplifting")}

_SLOW: Final = 100  # bpm; between the two a tempo has no word
_FAST: Final = 140


def caption(tags: Tags, rng: np.random.Generator) -> str:
    """Some of what is true of a clip, in any order: usually its style and its parts, seldom mood, tempo and key."""
    drums = [part for part in tags.parts if part in DRUMS]
    pitched = [part for part in tags.parts if part not in DRUMS]
    words: list[str] = []
    if len(drums) > 1 and rng.random() < 0.35:
        words.append(_one(rng, ("drums", "beat", "drum loop")))
        drums = []
    words += [_one(rng, _WORDS[part]) for part in drums + pitched if rng.random() < 0.85]
    words += _about(tags, bool(pitched), rng)
    words = [words[int(index)] for index in rng.permutation(len(words))]
    if rng.random() < 0.9 or not words:
        words.insert(0 if rng.random() < 0.7 else len(words), _one(rng, _STYLES[tags.style]))
    return (", " if rng.random() < 0.75 else " ").join(words)


def key_name(key: Key, rng: np.random.Generator) -> str:
    """The key's name, in one of its spellings."""
    tonic, mode = key.name.split(" ")
    return f"{SPELLINGS[tonic] if tonic in SPELLINGS and rng.random() < 0.4 else tonic} {mode}"


def _about(tags: Tags, pitched: bool, rng: np.random.Generator) -> list[str]:
    words: list[str] = []
    if pitched and rng.random() < 0.25:
        words.append(_one(rng, _MOODS[tags.key.mode]))
    if pitched and rng.random() < 0.15:
        words.append(key_name(tags.key, rng))
    if rng.random() < 0.15:
        words.append(f"{tags.bpm} bpm")
    if rng.random() < 0.2 and not _SLOW < tags.bpm < _FAST:
        words.append("slow" if tags.bpm <= _SLOW else "fast")
    return words


def _one(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]
