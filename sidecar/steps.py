"""Steps: long work that lets something else have its turn after every unit."""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

Result = TypeVar("Result")

Steps: TypeAlias = Generator[None, None, Result]
"""Yields after each unit of work, a few tens of milliseconds at most, and returns what came of all of them."""


def finish(steps: Steps[Result]) -> Result:
    """Do all of it at once."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
