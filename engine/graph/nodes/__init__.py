"""Every type of node, one family per file."""

from typing import Final

from engine.graph.nodes import audio, conditioning, config, curves, denoise, latent, mask, model
from engine.graph.registry import Registry

NODES: Final = Registry(
    model.family,
    audio.family,
    conditioning.family,
    latent.family,
    mask.family,
    curves.family,
    config.family,
    denoise.family,
)
"""The types of node that graphs use unless they are given other ones."""
