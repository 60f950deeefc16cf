"""The lanes: each parameter that a host can draw, the sweep it is judged over, and what must move."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from engine.evaluation import rhythm
from engine.evaluation.spectra import Audio, correlation, mel_distance
from engine.request.channels import channel_gain
from engine.request.conditioning import Conditioning
from engine.request.request import Request
from engine.request.source import Source

DENOISE: Final = 0.75
"""Of every lane but those that say otherwise: the plugin's default."""


@dataclass(frozen=True, eq=False)
class Base:
    """What a sweep starts from: a cover as the plugin makes it by default.

    Attributes:
        request: of a source, at `DENOISE`, with one prompt.
        source: the same source.
        other: a prompt of another style.
        negative: the prompt that guidance leads away from.
        trip: the source's round trip [2, N].
    """

    request: Request
    source: Source
    other: Conditioning
    negative: Conditioning
    trip: Audio


Measure: TypeAlias = Callable[[Base, Audio, Audio], float]
"""Of a base, what the sweep's first value gave, and what another gives."""


def from_source(base: Base, _: Audio, heard: Audio) -> float:
    """Distance from the source in dB of mel."""
    return mel_distance(base.trip, heard)


def from_start(_: Base, first: Audio, heard: Audio) -> float:
    """Distance from the sweep's first value in dB of mel."""
    return mel_distance(first, heard)


def in_time(base: Base, _: Audio, heard: Audio) -> float:
    """Correlation of the onsets with the source's."""
    return correlation(rhythm.onsets(base.trip), rhythm.onsets(heard))


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One lane.

    Attributes:
        name: of the engine's field, or of the group of channels.
        at: what it stands beside, where that is not the default.
        values: the sweep, rising; the useful range.
        measure: what must move.
        moves: the measure in words.
        rises: whether the measure rises with the value, or falls.
        ask: the request at a value.
    """

    name: str
    at: str = ""
    values: tuple[float, ...]
    measure: Measure
    moves: str
    rises: bool = True
    ask: Callable[[Base, float], Request]


_FROM_SOURCE, _FROM_START, _IN_TIME = (
    "distance from the source",
    "distance from the first value",
    "in time with the source",
)
_SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def _channels(group: str) -> Lane:
    return Lane(
        name=f"channel_gain {group}",
        values=(0.0, 0.5, 1.0, 1.5, 2.0),
        measure=from_start,
        moves=_FROM_START,
        ask=lambda base, value: replace(base.request, channel_gain=channel_gain({group: value}, base.request.frames)),
    )


LANES: Final = (
    Lane(
        name="denoise",
        values=(0.2, 0.4, 0.6, 0.8, 1.0),
        measure=from_source,
        moves=_FROM_SOURCE,
        ask=lambda base, value: replace(base.request, denoise=value),
    ),
    Lane(
        name="hint_strength",
        at="denoise 1",
        values=_SHARES,
        measure=in_time,
        moves=_IN_TIME,
        ask=lambda base, value: replace(base.request, denoise=1.0, hint_strength=value),
    ),
    Lane(
        name="prompt_blend",
        values=_SHARES,
        measure=from_start,
        moves=_FROM_START,
        ask=lambda base, value: replace(base.request, conditioning_b=base.other, prompt_blend=value),
    ),
    Lane(
        name="velocity_scale",
        values=(0.8, 0.9, 1.0, 1.1, 1.2),
        measure=from_start,
        moves=_FROM_START,
        ask=lambda base, value: replace(base.request, velocity_scale=value),
    ),
    Lane(
        name="sde_denoise",
        values=_SHARES,
        measure=from_source,
        moves=_FROM_SOURCE,
        ask=lambda base, value: replace(base.request, solver="sde", sde_denoise=value),
    ),
    Lane(
        name="ode_noise",
        values=(0.0, 0.1, 0.2, 0.3, 0.4),
        measure=from_start,
        moves=_FROM_START,
        ask=lambda base, value: replace(base.request, ode_noise=value),
    ),
    Lane(
        name="guidance",
        values=(1.0, 2.0, 4.0, 6.0, 8.0),
        measure=from_start,
        moves=_FROM_START,
        ask=lambda base, value: replace(base.request, negative=base.negative, guidance=value),
    ),
    Lane(
        name="x0_strength",
        values=_SHARES,
        measure=from_source,
        moves=_FROM_SOURCE,
        rises=False,
        ask=lambda base, value: replace(base.request, x0_target=base.source.latent, x0_strength=value),
    ),
    *(_channels(f"g{number}") for number in range(8)),
)
"""Every lane, with its sweep."""
