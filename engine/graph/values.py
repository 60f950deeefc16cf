"""What travels between nodes: one class per type of port."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine.analysis.info import AudioInfo
from engine.checks import frozen, whole
from engine.constants import AUDIO_CHANNELS, LATENT_CHANNELS
from engine.errors import RequestError
from engine.request.condition import Condition
from engine.request.dcw import Dcw

if TYPE_CHECKING:
    from engine.session import Session
    from engine.text.prompt import TextEmbedding


class NoOutput(Enum):
    """The type of NO_OUTPUT, which a node returns that has nothing new in this run."""

    NO_OUTPUT = "no output"


NO_OUTPUT: Final = NoOutput.NO_OUTPUT
"""Nothing new in this run. Nodes that would read it are passed over, and have no output either."""


@dataclass(frozen=True, eq=False)
class Model:
    """A session's DiT, and what acts on it. Nodes that change one return another and leave the session as it is.

    Attributes:
        session: where it runs.
        channel_gain: [64] float32, factor on what the DiT reads, or None.
        loras: strength per LoRA name; exactly these act.
    """

    session: "Session"
    channel_gain: NDArray[np.float32] | None = None
    loras: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, eq=False)
class Clip:
    """A session's text encoder."""

    session: "Session"


@dataclass(frozen=True, eq=False)
class Vae:
    """A session's audio encoder and decoder."""

    session: "Session"


@dataclass(frozen=True, eq=False)
class Audio:
    """Audio at 48 kHz.

    Attributes:
        samples: [2, N] float32, read-only.
        start: where its first sample lies in the song, in samples.

    Raises:
        RequestError: wrong shape, not finite or a start below 0.
    """

    samples: NDArray[np.float32]
    start: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", frozen(self.samples, (AUDIO_CHANNELS, None), "audio"))
        whole("start", self.start, 0, 2**53)


@dataclass(frozen=True, eq=False)
class Latent:
    """A latent, and which of its frames a generation may change.

    Attributes:
        frames: [T, 64] float32, read-only.
        mask: [T] float32, 1 generates and 0 preserves, or None.

    Raises:
        RequestError: wrong shape or not finite.
    """

    frames: NDArray[np.float32]
    mask: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        frames = frozen(self.frames, (None, LATENT_CHANNELS), "latent")
        object.__setattr__(self, "frames", frames)
        if self.mask is not None:
            object.__setattr__(self, "mask", frozen(self.mask, (frames.shape[0],), "latent.mask"))


@dataclass(frozen=True, eq=False)
class Mask:
    """[T] float32 in 0 .. 1, read-only: 1 generates, 0 preserves.

    Raises:
        RequestError: wrong shape, not finite or out of range.
    """

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        values = frozen(self.values, (None,), "mask")
        if values.min() < 0.0 or values.max() > 1.0:
            raise RequestError("mask", f"array{list(values.shape)}", "leaves 0 .. 1", "Keep a mask between 0 and 1.")
        object.__setattr__(self, "values", values)


@dataclass(frozen=True, eq=False)
class FrameCurve:
    """[n] float32, read-only: values spread evenly over a generation's frames.

    Raises:
        RequestError: wrong shape or not finite.
    """

    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values, (None,), "curve"))


@dataclass(frozen=True, eq=False)
class TextEmbed:
    """A prompt and its lyrics as the text encoder sees them, before a timbre joins them."""

    embedding: "TextEmbedding"


@dataclass(frozen=True, eq=False)
class Conditions:
    """Prompts that act together, the first one of them the primary."""

    entries: tuple[Condition, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Solver:
    """How a step is taken. Fields as in `engine.Request`."""

    name: str
    ode_noise: NDArray[np.float32] | None = None
    sde_denoise: NDArray[np.float32] | None = None


@dataclass(frozen=True, kw_only=True)
class Diffusion:
    """The schedule and the seed. Fields as in `engine.Request`."""

    steps: int
    shift: float
    seed: int
    denoise: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Modulation:
    """Curves and the target of a generation. Fields as in `engine.Request`; None leaves its default."""

    velocity_scale: NDArray[np.float32] | None
    initial_noise: NDArray[np.float32] | None
    chunk_mask: NDArray[np.float32] | None
    guidance: NDArray[np.float32] | None
    x0_target: NDArray[np.float32] | None
    x0_curve: NDArray[np.float32] | None
    x0_strength: float
    x0_gate: float


PORT_TYPES: Final[Mapping[type, str]] = {
    Model: "MODEL",
    Clip: "CLIP",
    Vae: "VAE",
    Audio: "AUDIO",
    Latent: "LATENT",
    Mask: "MASK",
    FrameCurve: "CURVE",
    TextEmbed: "TEXT_EMBED",
    Conditions: "CONDITIONING",
    Solver: "SOLVER",
    Diffusion: "CONFIG",
    Dcw: "DCW",
    Modulation: "MODULATION",
    AudioInfo: "INFO",
    object: "ANY",
}
"""Name of a port's type, by the class of what travels through it. ANY takes and gives anything."""
