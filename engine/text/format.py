"""The text format ACE-Step v1.5 was trained on, and the values that its fields take."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from engine import checks
from engine.errors import RequestError

# All sets and ranges in this file are those of ACE-Step's constants: the model saw no others in training.
INSTRUCTIONS: Final[Mapping[str, str]] = {
    "text2music": "Fill the audio semantic mask based on the given conditions:",
    "cover": "Generate audio semantic tokens based on the given conditions:",
    "repaint": "Repaint the mask area based on the given conditions:",
    "extract": "Extract the track from the audio:",
    "lego": "Generate the track based on the audio context:",
    "complete": "Complete the input track:",
}
"""Instruction per task. Three of them change where tracks are named."""

TRACKS: Final = (
    "vocals", "backing_vocals", "drums", "bass", "guitar", "keyboard", "percussion", "strings", "synth", "fx", "brass",
    "woodwinds",
)  # fmt: skip
"""Names of tracks."""

LANGUAGES: Final = (
    "ar", "az", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hr", "ht", "hu",
    "id", "is", "it", "ja", "ko", "la", "lt", "ms", "ne", "nl", "no", "pa", "pl", "pt", "ro", "ru", "sa", "sk", "sr",
    "sv", "sw", "ta", "te", "th", "tl", "tr", "uk", "ur", "vi", "yue", "zh", "unknown",
)  # fmt: skip
"""Codes of languages that lyrics may be in."""

TIME_SIGNATURES: Final = ("2", "3", "4", "6")
"""Beats per bar."""

MIN_BPM: Final = 30
MAX_BPM: Final = 300
MAX_SECONDS: Final = 600.0

_KEY: Final = re.compile(r"[A-G][#b♯♭]? (major|minor)")
_TRACK_TASKS: Final = {
    "extract": "Extract the {} track from the audio:",
    "lego": "Generate the {} track based on the audio context:",
}


def instruction(task: str, track: str | None = None, tracks: Sequence[str] = ()) -> str:
    """The sentence that names a task, and the tracks it is about.

    Args:
        task: a key of INSTRUCTIONS.
        track: one of TRACKS, for "extract" and "lego".
        tracks: any of TRACKS, for "complete".

    Raises:
        RequestError: an unknown task or track, or a track that the task does not read.
    """
    if checks.text("task", task) not in INSTRUCTIONS:
        raise RequestError("task", task, "is not a task", f"Use one of {', '.join(INSTRUCTIONS)}.")
    if isinstance(tracks, str):
        raise RequestError("tracks", tracks, "is one text", "Pass a list of names.")
    if track is not None and task not in _TRACK_TASKS:
        raise RequestError("track", track, f"is not read by {task}", "Use the task extract or lego, or leave it out.")
    if tracks and task != "complete":
        raise RequestError("tracks", tracks, f"are not read by {task}", "Use the task complete, or leave them out.")
    if track is not None:
        return _TRACK_TASKS[task].format(_track("track", track))
    if tracks:
        return f"Complete the input track with {' | '.join(_track('tracks', name) for name in tracks)}:"
    return INSTRUCTIONS[task]


def format_prompt(
    prompt: str,
    instruction: str,
    *,
    bpm: int | None,
    key: str | None,
    time_signature: str | None,
    duration: float,
) -> str:
    """The caption template of ACE-Step v1.5. Unknown metadata is "N/A"; the duration is in whole seconds, rounded down.

    Raises:
        RequestError: a field is of the wrong type or out of range.
    """
    tempo = "N/A" if bpm is None else checks.whole("bpm", bpm, MIN_BPM, MAX_BPM)
    metas = (
        f"- bpm: {tempo}\n"
        f"- timesignature: {_time_signature(time_signature)}\n"
        f"- keyscale: {_key(key)}\n"
        f"- duration: {int(_seconds(duration))} seconds\n"
    )
    caption = checks.text("prompt", prompt)
    return f"# Instruction\n{instruction}\n\n# Caption\n{caption}\n\n# Metas\n{metas}<|endoftext|>\n"


def format_lyrics(lyrics: str, language: str) -> str:
    """The lyric template of ACE-Step v1.5.

    Raises:
        RequestError: not text, or an unknown language.
    """
    if checks.text("language", language) not in LANGUAGES:
        problem, fix = "is not a language ACE-Step knows", "Use a code such as en, de or ja, or unknown."
        raise RequestError("language", language, problem, fix)
    return f"# Languages\n{language}\n\n# Lyric\n{checks.text('lyrics', lyrics)}<|endoftext|>"


def _track(field: str, name: object) -> str:
    if checks.text(field, name) not in TRACKS:
        raise RequestError(field, name, "is not a track", f"Use one of {', '.join(TRACKS)}.")
    return str(name).upper()


def _seconds(duration: object) -> float:
    seconds = checks.number("duration", duration, "Pass the length in seconds.")
    if not 0.0 < seconds <= MAX_SECONDS:
        raise RequestError("duration", seconds, "is out of range", "Pass the length in seconds, above 0 and up to 600.")
    return seconds


def _time_signature(value: str | None) -> str:
    if value is None or not checks.text("time_signature", value).strip():
        return "N/A"
    if value not in TIME_SIGNATURES:
        fix = f"Use the beats per bar as text, {', '.join(TIME_SIGNATURES)}, or None."
        raise RequestError("time_signature", value, "is not a time signature ACE-Step knows", fix)
    return value


def _key(value: str | None) -> str:
    if value is None or not checks.text("key", value).strip():
        return "N/A"
    if not _KEY.fullmatch(value):
        raise RequestError("key", value, "is not a key", "Write it as C major, F# minor or Bb minor, or pass None.")
    return value
