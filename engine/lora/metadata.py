"""What a LoRA's author says about it: `<stem>.metadata.json`, or the older one-word `<stem>.trigger.txt`.

Nothing here decides whether a LoRA works, so nothing here raises: what cannot be used is left out and listed.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

_FILE_LIMIT: Final = 256 << 10
_TEXT_LIMIT: Final = 4_096
_WORD_LIMIT: Final = 200
_LIST_LIMIT: Final = 64
_SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, kw_only=True)
class LoraMetadata:
    """The record of one LoRA; what is unknown is empty or None.

    Attributes:
        title: name for people; the LoRA is addressed by its file's stem.
        description: what it does.
        base_model: what it was trained on.
        base_model_scale: size of that, such as "2B".
        trigger_words: words to put into a prompt. The engine never puts them there itself.
        primary_trigger_word: the one to put first; the first trigger word if the file names none.
        recommended_strength, recommended_steps, recommended_shift, recommended_guidance: starting points.
        primary_genre, secondary_genres, tags, moods: for a list to sort by.
        problems: one sentence for everything that was in the files and could not be used.
    """

    title: str = ""
    description: str = ""
    base_model: str = ""
    base_model_scale: str = ""
    trigger_words: tuple[str, ...] = ()
    primary_trigger_word: str = ""
    recommended_strength: float | None = None
    recommended_steps: float | None = None
    recommended_shift: float | None = None
    recommended_guidance: float | None = None
    primary_genre: str = ""
    secondary_genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read(path: Path) -> LoraMetadata:
    """The record beside a LoRA file. Never raises for what it finds there.

    Args:
        path: of the safetensors file.
    """
    problems: list[str] = []
    record = _json(path.with_suffix(".metadata.json"), problems)
    if record is None:
        word = _text(path.with_suffix(".trigger.txt"), problems).strip()
        if len(word) > _WORD_LIMIT:
            problems.append(f"{path.stem}.trigger.txt is longer than {_WORD_LIMIT} characters.")
            word = ""
        return LoraMetadata(trigger_words=(word,) if word else (), primary_trigger_word=word, problems=tuple(problems))
    return _record(_Fields(record, problems))


class _Fields:
    """Typed access to a JSON object; what has another type is noted and left out."""

    def __init__(self, values: dict[str, Any], problems: list[str], name: str = "") -> None:
        self._values = values
        self._name = name
        self.problems = problems

    def part(self, key: str) -> "_Fields":
        value = self._values.get(key)
        if value is not None and not isinstance(value, dict):
            self._note(key, "an object")
        return _Fields(cast("dict[str, Any]", value) if isinstance(value, dict) else {}, self.problems, f"{key}.")

    def text(self, key: str, limit: int = _WORD_LIMIT) -> str:
        value = self._values.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > limit:
            self._note(key, f"text of at most {limit} characters")
            return ""
        return value.strip()

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._values.get(key)
        if value is None:
            return ()
        entries = cast("list[object]", value) if isinstance(value, list) else []
        words = [entry.strip() for entry in entries if isinstance(entry, str) and len(entry) <= _WORD_LIMIT]
        if not isinstance(value, list) or len(words) != len(entries) or len(words) > _LIST_LIMIT:
            self._note(key, f"a list of at most {_LIST_LIMIT} short texts")
        return tuple(word for word in words[:_LIST_LIMIT] if word)

    def number(self, key: str) -> float | None:
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            self._note(key, "a number")
            return None
        return float(value)

    def _note(self, key: str, wanted: str) -> None:
        self.problems.append(f"{self._name}{key} is not {wanted}.")


def _record(fields: _Fields) -> LoraMetadata:
    model, inference, kind = (fields.part(key) for key in ("model", "inference", "classification"))
    version = fields.number("schema_version")
    if version is not None and version > _SCHEMA_VERSION:
        fields.problems.append(f"schema_version is {version:g}; what is newer than {_SCHEMA_VERSION} is not read.")
    triggers = inference.texts("trigger_words")
    values: dict[str, Any] = {
        "title": fields.text("name"),
        "description": fields.text("description", _TEXT_LIMIT),
        "base_model": model.text("base_model"),
        "base_model_scale": model.text("base_model_scale"),
        "trigger_words": triggers,
        "primary_trigger_word": inference.text("primary_trigger_word") or next(iter(triggers), ""),
        **{
            key: inference.number(key)
            for key in ("recommended_strength", "recommended_steps", "recommended_shift", "recommended_guidance")
        },
        "primary_genre": kind.text("primary_genre"),
        **{key: kind.texts(key) for key in ("secondary_genres", "tags", "moods")},
    }
    return LoraMetadata(**values, problems=tuple(fields.problems))


def _json(file: Path, problems: list[str]) -> dict[str, Any] | None:
    text = _text(file, problems)
    if not text:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        problems.append(f"{file.name} is not JSON ({error}).")
        return None
    if not isinstance(content, dict):
        problems.append(f"{file.name} is not a JSON object.")
        return None
    return cast("dict[str, Any]", content)


def _text(file: Path, problems: list[str]) -> str:
    try:
        if not file.is_file():
            return ""
        if file.stat().st_size > _FILE_LIMIT:
            problems.append(f"{file.name} is larger than {_FILE_LIMIT >> 10} KiB.")
            return ""
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{file.name} cannot be read ({error}).")
        return ""
