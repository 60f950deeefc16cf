"""The styles of the corpus: what each plays, how often, and where in the bar."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Part:
    """One instrument of a style.

    Attributes:
        voice: what it sounds with, a name of `voices.VOICES`.
        share: how often a clip of the style has it, 0 .. 1.
        level: its gain in the mix.
        patterns: bars in the signs of `pattern`; a clip draws one, or two that take turns.
        lowest: pitch (MIDI) of the lowest octave that it plays in; 0 for drums.
        chord: notes of the chord that it knows.
    """

    voice: str
    share: float
    level: float
    patterns: tuple[str, ...]
    lowest: int = 0
    chord: int = 3


@dataclass(frozen=True)
class Style:
    """One style.

    Attributes:
        beats: latent frames of a beat that its clips draw from, the usual ones more than once; 12 is 125 bpm.
        parts: by the name that captions use, drums first.
        minor: share of its clips in a minor key.
        swing: how late the second of two sixteenths comes, as a share of a sixteenth.
        pump: whether the kick ducks everything that is not a drum.
    """

    beats: tuple[int, ...]
    parts: Mapping[str, Part]
    minor: float = 0.7
    swing: float = 0.0
    pump: bool = False


DRUMS: Final = frozenset({"kick", "snare", "clap", "rim", "hats", "open hat", "shaker"})
"""Parts that have no pitch."""

_TECHNO: Final = Style(
    beats=(12, 12, 12, 12, 10, 14),
    pump=True,
    minor=0.9,
    parts={
        "kick": Part("kick", 1.0, 0.9, ("X...X...X...X...", "X...X...X...X..o", "X...X...X...X.o.")),
        "clap": Part("clap", 0.5, 0.45, ("....X.......X...", "....X.......X..o")),
        "hats": Part("hat", 0.7, 0.35, ("xoxoxoxoxoxoxoxo", "x.x.x.x.x.x.x.x.", "xxoxxxoxxxoxxxox")),
        "open hat": Part("open hat", 0.7, 0.35, ("..X...X...X...X.",)),
        "saw bass": Part(
            "saw bass", 0.6, 0.5, ("..0...0...0...0.", ".000.000.000.000", "0..0..0.0..0..0.", "..00..00..00..03"), 33
        ),
        "acid bass": Part("acid bass", 0.3, 0.45, ("0.03.00.3.0.0.30", "00.3.0.00.03.0.3", "0..0.3.0..0.3.0."), 33),
        "pluck": Part("pluck", 0.5, 0.3, ("0.1.2.0.1.2.0.1.", "0..2..1..0..2..1", "..2...1...2...3."), 57),
        "pad": Part("pad", 0.3, 0.3, ("x---------------",), 52),
        "stab": Part("stab", 0.3, 0.32, ("...x......x.....", "..x.....x..x....", "......x.......x."), 52),
    },
)

_HOUSE: Final = Style(
    beats=(12, 12, 12, 12, 14),
    pump=True,
    minor=0.5,
    parts={
        "kick": Part("kick", 1.0, 0.9, ("X...X...X...X...",)),
        "clap": Part("clap", 0.85, 0.5, ("....X.......X...",)),
        "hats": Part("hat", 0.6, 0.3, ("x.xox.xox.xox.xo", "xoxoxoxoxoxoxoxo")),
        "open hat": Part("open hat", 0.8, 0.4, ("..X...X...X...X.",)),
        "shaker": Part("shaker", 0.3, 0.25, ("oxxooxxooxxooxxo",)),
        "square bass": Part(
            "square bass",
            0.8,
            0.5,
            ("..0...0...0...0.", "0--.0..3..0.2...", "0..0..3...0..2..", "0-..0-..3-..2-.."),
            33,
        ),
        "piano": Part("keys", 0.55, 0.4, ("x--.x--...x--.x.", "..x...x...x...x.", "x..x..x...x..x.."), 55, 4),
        "organ": Part("organ", 0.3, 0.4, ("x..x..x...x..x..", "..x...x...x...x.", "x-..x-....x-..x."), 55, 4),
        "pad": Part("pad", 0.4, 0.28, ("x---------------",), 52, 4),
        "pluck": Part("pluck", 0.3, 0.28, ("0.2.1.3.0.2.1.3.", "3..2..1.3..2..0."), 57, 4),
    },
)

_AMBIENT: Final = Style(
    beats=(14, 16, 16, 18, 18),
    minor=0.5,
    parts={
        "pad": Part("warm pad", 0.85, 0.5, ("x---------------",), 48, 4),
        "strings": Part("strings", 0.35, 0.45, ("x---------------", "x-------x-------"), 55, 4),
        "sub bass": Part("sub bass", 0.4, 0.4, ("0---------------", "0-------........"), 33),
        "bells": Part(
            "bell", 0.6, 0.5, ("0.....1.....2...", "2...1...0.......", "0...2...3...1...", "3.......1......."), 67, 4
        ),
        "electric piano": Part("keys", 0.35, 0.35, ("0--.1--.2--.3--.", "x-------........"), 55, 4),
    },
)

_LOFI: Final = Style(
    beats=(16, 16, 18, 18, 14),
    minor=0.5,
    swing=0.3,
    parts={
        "kick": Part("soft kick", 0.95, 0.8, ("X......x..X.....", "X.....x.X.......", "X..x....X.......")),
        "snare": Part("soft snare", 0.9, 0.5, ("....X.......X...", "....X.......X..o")),
        "hats": Part("soft hat", 0.8, 0.3, ("x.x.x.x.x.x.x.x.", "x.xox.x.x.xox.x.")),
        "rim": Part("rim", 0.2, 0.3, ("......x..x......",)),
        "sub bass": Part("sub bass", 0.8, 0.5, ("0-----..0---....", "0-----0-..2---..", "0---------3-2-.."), 33),
        "electric piano": Part(
            "keys", 0.8, 0.45, ("x-------x-------", "x-----x---------", "x---..x-..x-----", "x--------x------"), 53, 4
        ),
        "marimba": Part("marimba", 0.3, 0.4, ("0..1..2...3.2.1.", "3..2..1..0......", "0.2...1.3...2..."), 65, 4),
        "bells": Part("bell", 0.35, 0.4, ("2...1.0.........", "........3.2.1...", "0.....2...1....."), 65, 4),
    },
)

_BREAKS: Final = Style(
    beats=(10, 10, 9, 9),
    minor=0.9,
    parts={
        "kick": Part("tight kick", 1.0, 0.9, ("X.........X.....", "X.X.......X.....", "X.....x...X.....")),
        "snare": Part("snare", 1.0, 0.6, ("....X.......X...", "....X..o....X...", "....X..o.o..X..o")),
        "hats": Part("hat", 0.85, 0.32, ("x.x.x.x.x.x.x.x.", "xoxoxoxoxoxoxoxo")),
        "reese bass": Part("reese bass", 0.7, 0.5, ("0-------0-----3-", "0---------------", "0-----2-----0---"), 33),
        "sub bass": Part("sub bass", 0.3, 0.5, ("0-----..0---..3-", "0-------2-------"), 33),
        "pad": Part("pad", 0.5, 0.28, ("x---------------",), 52),
        "strings": Part("strings", 0.3, 0.35, ("x---------------",), 57),
        "stab": Part("stab", 0.3, 0.3, ("...x......x.....", "x.....x........."), 52),
    },
)

_CHIPTUNE: Final = Style(
    beats=(10, 12, 12, 14),
    minor=0.4,
    parts={
        "kick": Part("chip kick", 0.7, 0.9, ("X.......X.......", "X...X...X...X...", "X.....X.X.......")),
        "snare": Part("chip snare", 0.7, 0.5, ("....X.......X...",)),
        "hats": Part("chip hat", 0.5, 0.35, ("x.x.x.x.x.x.x.x.", "..x...x...x...x.")),
        "square bass": Part("square bass", 0.9, 0.6, ("0.0.0.0.0.0.0.0.", "0..0..0.0..0..0.", "0.3.0.3.0.3.0.3."), 36),
        "square lead": Part(
            "square lead", 0.8, 0.5, ("0-1-2-3-2-1-0-2-", "3--2--1-0--1--2-", "0---2---3---2-1-"), 64, 3
        ),
        "chip arp": Part("chip arp", 0.6, 0.38, ("0123012301230123", "0120120120120123", "3210321032103210"), 60, 3),
    },
)

STYLES: Final[Mapping[str, Style]] = {
    "techno": _TECHNO,
    "house": _HOUSE,
    "ambient": _AMBIENT,
    "lofi": _LOFI,
    "drum and bass": _BREAKS,
    "chiptune": _CHIPTUNE,
}
"""Styles by the word that captions use."""
