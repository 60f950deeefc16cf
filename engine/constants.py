"""Fixed quantities of ACE-Step v1.5 audio and latents.

The checkpoint's VAE configuration carries the same numbers; a checkpoint that disagrees is refused.
"""

from typing import Final

SAMPLE_RATE: Final = 48_000
"""Audio samples per second and channel."""

FRAME_SAMPLES: Final = 1_920
"""Audio samples of one latent frame: the VAE's hop, the product of its downsampling ratios 2, 4, 4, 6, 10."""

FRAME_RATE: Final = 25
"""Latent frames per second, SAMPLE_RATE / FRAME_SAMPLES."""

AUDIO_CHANNELS: Final = 2
"""Left and right."""

LATENT_CHANNELS: Final = 64
"""Channels of a latent frame."""

MIN_FRAMES: Final = 30
"""Shortest generation: one decode window of 10 frames with its margins of 9 and a tail frame still fits."""

MAX_FRAMES: Final = 15_000
"""600 s: the longest song ACE-Step v1.5 was trained on, and the length of its silence latent."""

SOURCE_GRID: Final = 10
"""Sources are whole multiples of this many frames: DiT patches are 2 frames, hint tokens 5."""
