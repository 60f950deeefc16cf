"""What a clip of the corpus is before it sounds."""

from dataclasses import dataclass

from engine.training.music.harmony import Key


@dataclass(frozen=True)
class Note:
    """One note.

    Attributes:
        voice: a name of `voices.VOICES`.
        start: sample of the clip.
        length: samples until the key is let go; a decaying voice does not heed it.
        pitch: MIDI; 0 for drums.
        level: gain, 1 is the voice's own.
    """

    voice: str
    start: int
    length: int
    pitch: int
    level: float


@dataclass(frozen=True)
class Tags:
    """What is true of a clip.

    Attributes:
        style: a name of `styles.STYLES`.
        bpm: beats per minute, rounded as a prompt has it.
        beat: samples of a beat; a multiple of 1920 where the beat is whole latent frames.
        key: of what is pitched.
        parts: names of the parts that sound, drums first.
    """

    style: str
    bpm: int
    beat: int
    key: Key
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """The notes of a clip that starts on a down-beat.

    Attributes:
        notes: those that start within the clip.
        frames: length in latent frames.
        tags: what is true of it.
        pump: samples between the starts at which everything but the drums is ducked; 0 where nothing is.
    """

    notes: tuple[Note, ...]
    frames: int
    tags: Tags
    pump: int
