"""Steps that are more than Euler's: stochastic ones, and those that edit the clean latent on the way.

Everything here is elementwise and one row at a time, so a slot that asks for none of it costs and changes nothing.
"""

import torch
from torch import Tensor

from engine.step import primitives as step
from engine.step.noise import step_normal
from engine.step.wavelet import Correction
from engine.stream.slot import Slot


def move(slot: Slot, x: Tensor, velocity: Tensor) -> Tensor | None:
    """x at the end of the slot's step, or None where plain Euler (`primitives.euler`) is all that is asked for.

    Args:
        slot: before the step is counted.
        x, velocity: [T, 64].
    """
    stochastic = _is_stochastic(slot)
    share = None if slot.target is None else slot.target.share(slot.taken, slot.live.x0_strength)
    noise = slot.live.ode_noise if slot.time_after > 0.0 and not stochastic else None
    edited = share is not None or slot.mask is not None
    if not (stochastic or edited or noise is not None or slot.correction is not None):
        return None
    scaled = velocity * slot.live.velocity_scale
    if stochastic or edited:
        clean = _edited(slot, x - slot.time * scaled, share)
        moved = _renoised(slot, clean) if stochastic else _toward(slot, x, clean)
    else:
        moved = x + scaled * slot.interval
    if noise is not None:
        moved = moved + noise * slot.time_after * _fresh(slot)
    if slot.correction is not None:
        moved = _corrected(slot, slot.correction, moved, x - slot.time * velocity)
    return slot.mask.kept(moved, slot.taken) if slot.mask is not None and slot.time_after == 0.0 else moved


def _is_stochastic(slot: Slot) -> bool:
    return slot.snapshot.solver == "sde" or _sde_curve(slot) is not None


def _sde_curve(slot: Slot) -> Tensor | None:
    return None if slot.clean is None else slot.live.sde_denoise


def _edited(slot: Slot, clean: Tensor, share: Tensor | None) -> Tensor:
    if slot.target is not None and share is not None:
        clean = slot.target.approached(clean, share)
    # the mask comes last: what it preserves, no other control may move
    return clean if slot.mask is None else slot.mask.kept(clean, slot.taken)


def _toward(slot: Slot, x: Tensor, clean: Tensor) -> Tensor:
    """Euler along (x - clean) / t; exactly the clean latent at the last step."""
    left = slot.time_after / slot.time if slot.time > 0.0 else 0.0
    return step.mix(clean, x, torch.tensor(left, dtype=torch.float32))


def _renoised(slot: Slot, clean: Tensor) -> Tensor:
    curve = _sde_curve(slot)
    if curve is not None and slot.clean is not None:
        clean = step.mix(slot.clean, clean, curve)
    if slot.time_after == 0.0:
        return clean
    # without a curve, masked frames keep the noise they are re-noised with before the next step
    noise = slot.mask.noise if slot.mask is not None and curve is None else _fresh(slot)
    return step.noised(noise, clean, slot.time_after)


def _corrected(slot: Slot, correction: Correction, moved: Tensor, clean: Tensor) -> Tensor:
    corrected = correction.applied(moved, clean, slot.time)
    return corrected if slot.mask is None else step.mix(moved, corrected, slot.mask.weight(slot.taken))


def _fresh(slot: Slot) -> Tensor:
    asked = slot.snapshot
    return torch.tensor(step_normal(asked.seed, slot.taken, asked.frames, asked.noise_start))
