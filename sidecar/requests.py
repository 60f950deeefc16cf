"""Requests: what the engine is asked for, from a pass's material and the controls at one virtual frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import Request

if TYPE_CHECKING:
    from sidecar.material import Material, Prompts
    from sidecar.snapshot import Snapshot


def build(material: Material, prompts: Prompts, controls: Snapshot) -> Request:
    """The request of one generation.

    Args:
        prompts: prompts, seed and LoRAs in force, in place of the material's.
        controls: over the region that is generated.
    """
    return Request(
        conditioning=prompts.a,
        conditioning_b=prompts.b,
        prompt_blend=0.0 if prompts.b is None else controls.prompt_blend,
        source=material.source,
        hint_strength=controls.hint_strength,
        velocity_scale=controls.velocity_scale,
        denoise=1.0 if material.source is None else controls.denoise,
        loras=prompts.loras,
        seed=(prompts.seed + controls.seed_offset) % 2**64,
        steps=material.clock.steps,
        shift=material.clock.shift,
        frames=material.region.frames,
        control_version=controls.control_version,
        tag=controls.frame,
    )
