"""Lessons: what passes taught and nobody has worked out yet."""

from collections import deque
from collections.abc import Container

from sidecar.fields import SourceEntry
from sidecar.steps import Steps


class Lessons:
    """Work that is done in turn, a unit at a time, so that windows are rendered between two of them."""

    def __init__(self) -> None:
        self._queue: deque[tuple[str, Steps[SourceEntry | None]]] = deque()

    @property
    def waiting(self) -> bool:
        """There is something to work out."""
        return bool(self._queue)

    def teaches_other_than(self, name: str) -> bool:
        """Something else than this key of the document is to be worked out."""
        return any(key != name for key, _ in self._queue)

    def add(self, key: str, steps: Steps[SourceEntry | None]) -> None:
        """Work that ends in the entry of a key of the document, or in None where there is nothing new."""
        self._queue.append((key, steps))

    def forget(self, names: Container[str]) -> None:
        """These keys of the document have been decided otherwise."""
        self._queue = deque((key, steps) for key, steps in self._queue if key not in names)

    def work(self) -> tuple[str, SourceEntry] | None:
        """Do one unit; the key and its entry, if that was the last of a lesson that has one. Call while `waiting`.

        Raises:
            Exception: the lesson failed, with what it raised; it is over.
        """
        key, steps = self._queue[0]
        try:
            next(steps)
        except StopIteration as done:
            self._queue.popleft()
            return None if done.value is None else (key, done.value)
        except Exception:
            self._queue.popleft()
            raise
        return None
