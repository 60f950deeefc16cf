"""A prompt and its lyrics as the text encoder gives them, before a timbre joins them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.checks import frozen


@dataclass(frozen=True, eq=False)
class TextEmbedding:
    """An embedded prompt. `Session.embed_text` makes it, `Session.condition_text` adds a timbre.

    Attributes:
        prompt: [L, E] float32, read-only: the text encoder's last hidden states; E is its width.
        lyrics: [M, E] float32, read-only: the lyrics looked up in its embedding table.

    Raises:
        RequestError: wrong shape or not finite.
    """

    prompt: NDArray[np.float32]
    lyrics: NDArray[np.float32]

    def __post_init__(self) -> None:
        prompt = frozen(self.prompt, (None, None), "embedding.prompt")
        object.__setattr__(self, "prompt", prompt)
        object.__setattr__(self, "lyrics", frozen(self.lyrics, (None, prompt.shape[1]), "embedding.lyrics"))
