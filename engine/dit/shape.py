"""The DiT's configuration, as far as its forward depends on it."""

from dataclasses import dataclass
from typing import Any, Self

from diffusers.models.transformers.ace_step_transformer import AceStepTransformer1DModel


@dataclass(frozen=True, kw_only=True)
class DitShape:
    """Sizes of a DiT.

    Attributes:
        hidden: H.
        heads, groups, width: query heads, key-value heads (each serves heads / groups query heads), and D, the
            channels of each.
        patch: frames per token; T = patch S.
        theta: base of the rotary frequencies.
        eps: epsilon of every norm.
        windows: per block, how many tokens to each side it sees, or None for all of them.
    """

    hidden: int
    heads: int
    groups: int
    width: int
    patch: int
    theta: float
    eps: float
    windows: tuple[int | None, ...]

    @classmethod
    def of(cls, transformer: AceStepTransformer1DModel) -> Self:
        """The shape of a loaded transformer."""
        config: Any = transformer.config
        kinds: list[str] = transformer.layer_types
        return cls(
            hidden=config.hidden_size,
            heads=config.num_attention_heads,
            groups=config.num_key_value_heads,
            width=config.head_dim,
            patch=config.patch_size,
            theta=config.rope_theta,
            eps=config.rms_norm_eps,
            windows=tuple(config.sliding_window if kind == "sliding_attention" else None for kind in kinds),
        )
