"""The recipe of a checkpoint: one file with every number that its training depends on."""

import tomllib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from engine.errors import EngineError
from engine.training.codec.task import CodecConfig
from engine.training.codec.twin import Widths
from engine.training.flow.batch import BatchConfig
from engine.training.flow.parts import Sizes
from engine.training.flow.task import FlowConfig
from engine.training.run.config import LoopConfig

SHIPPED: Final = Path(__file__).with_name("recipe.toml")
"""The recipe of the checkpoint that ships with this version."""


class Recipe(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe.

    Attributes:
        name: of the checkpoint.
        deviation: of the posterior that the stock VAE samples.
        widths: the VAE.
        codec: what the VAE is trained on.
        codec_run: how long.
        decoder: what the decoder is trained on once the encoder stays as it is.
        decoder_run: how long.
        sizes: the DiT and what surrounds it.
        batches: what they are trained on.
        flow: how.
        flow_run: how long.
    """

    name: str
    deviation: float
    widths: Widths
    codec: CodecConfig
    codec_run: LoopConfig
    decoder: CodecConfig
    decoder_run: LoopConfig
    sizes: Sizes
    batches: BatchConfig
    flow: FlowConfig
    flow_run: LoopConfig


def read(path: Path = SHIPPED) -> Recipe:
    """Read a recipe.

    Raises:
        EngineError: the file cannot be read, is no TOML, or a field is unknown, missing or of the wrong type.
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Recipe)
    except OSError as error:
        raise EngineError(f"{path} cannot be read: {error.strerror}.", "Name a recipe, or leave it out.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        fix = f"Compare it with {SHIPPED}."
        raise EngineError(f"{path} is not a recipe: {error}.", fix) from error
