"""What differs between two checked requests."""

from dataclasses import fields, is_dataclass
from typing import Any, Final, cast

import numpy as np

from engine.request.snapshot import Snapshot

_LABELS: Final = frozenset({"control_version", "tag"})  # the caller's own numbers change nothing that is generated


def changes(before: Snapshot, after: Snapshot) -> tuple[str, ...]:
    """Names of the fields of a snapshot that differ, in its order."""
    names = [field.name for field in fields(Snapshot) if field.name not in _LABELS]
    return tuple(name for name in names if not _same(getattr(before, name), getattr(after, name)))


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return np.array_equal(cast(np.ndarray, a), b)
    if isinstance(a, tuple):
        left, right = cast(tuple[Any, ...], a), cast(tuple[Any, ...], b)
        return len(left) == len(right) and all(map(_same, left, right))
    if is_dataclass(a):
        return all(_same(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))
    return bool(a == b)
