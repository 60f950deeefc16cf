"""The prompts of a request: one list, whether they were given as A, B or further conditions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from engine.errors import RequestError
from engine.request.condition import Condition
from engine.request.conditioning import Conditioning
from engine.request.curves import sample
from engine.request.fields import interval
from engine.request.request import Request


@dataclass(frozen=True, eq=False)
class Prompt:
    """A checked condition."""

    conditioning: Conditioning
    weight: NDArray[np.float32]  # [T], >= 0
    steps: tuple[float, float]

    def active(self, step: int, steps: int) -> bool:
        """Whether it takes part in a step (0, 1, ...) of so many."""
        start, end = self.steps
        return start <= step / steps < end


def positive(request: Request, frames: int, width: int) -> tuple[Prompt, ...]:
    """What a request asks for: A and B by their shares, then the further conditions.

    Raises:
        RequestError: a prompt, a weight or a range is wrong, or B is missing.
    """
    blend = sample(request.prompt_blend, frames, "prompt_blend", 0.0, 1.0)
    weight = sample(request.weight, frames, "weight", 0.0)
    steps = interval("condition_steps", request.condition_steps)
    first = conditioning("conditioning", request.conditioning, width)
    second = _second(request, blend, width)
    # a share of 0 everywhere is no prompt at all, so that with one prompt left its velocity is taken as it is
    pair: list[Prompt] = []
    if second is None or bool((blend < 1.0).any()):
        pair.append(Prompt(first, weight if second is None else weight * (1.0 - blend).astype(np.float32), steps))
    if second is not None and blend.any():
        pair.append(Prompt(second, weight * blend, steps))
    return (*pair, *_further("conditions", request.conditions, frames, width))


def negative(request: Request, scale: NDArray[np.float32] | None, frames: int, width: int) -> tuple[Prompt, ...]:
    """What a request guides away from; empty if there is no such prompt.

    Args:
        request: as asked for.
        scale: its guidance [T], None if there is none.
        frames: T.
        width: D of the checkpoint's conditioning.

    Raises:
        RequestError: a prompt is wrong, or missing where the guidance needs one.
    """
    given = request.negative
    if isinstance(given, Conditioning):
        return (Prompt(conditioning("negative", given, width), np.ones(frames, np.float32), (0.0, 1.0)),)
    if given is not None:
        return _further("negative", given, frames, width)
    if scale is not None and request.guidance_mode != "self" and bool((scale != 1.0).any()):
        fix = "Give a negative prompt such as Session.null_conditioning's, or use the mode self."
        raise RequestError("negative", None, "is needed where guidance is not 1", fix)
    return ()


def conditioning(field: str, value: object, width: int) -> Conditioning:
    """A prompt of this checkpoint's width.

    Raises:
        RequestError: it is not.
    """
    if not isinstance(value, Conditioning):
        raise RequestError(
            field, type(value).__name__, "is not a Conditioning", "Pass what Session.encode_text returned."
        )
    if value.states.shape[1] != width:
        problem = f"is not {width} wide as this checkpoint needs"
        raise RequestError(field, f"states{list(value.states.shape)}", problem, "Encode the prompt with this session.")
    return value


def _second(request: Request, blend: NDArray[np.float32], width: int) -> Conditioning | None:
    if request.conditioning_b is not None:
        return conditioning("conditioning_b", request.conditioning_b, width)
    if blend.any():
        problem = "is needed where prompt_blend is above 0"
        raise RequestError("conditioning_b", None, problem, "Give prompt B, or set prompt_blend to 0.")
    return None


def _further(field: str, given: object, frames: int, width: int) -> tuple[Prompt, ...]:
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise RequestError(field, type(given).__name__, "is not a list of conditions", "Pass a list of Condition.")
    return tuple(
        _checked(f"{field}[{n}]", condition, frames, width) for n, condition in enumerate(cast(Sequence[object], given))
    )


def _checked(field: str, condition: object, frames: int, width: int) -> Prompt:
    if not isinstance(condition, Condition):
        raise RequestError(field, type(condition).__name__, "is not a Condition", "Pass engine.Condition(...).")
    return Prompt(
        conditioning(f"{field}.conditioning", condition.conditioning, width),
        sample(condition.weight, frames, f"{field}.weight", 0.0),
        interval(f"{field}.steps", condition.steps),
    )
