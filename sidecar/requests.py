"""Requests: what the engine is asked for, from a snapshot and the material of a pass.

A parameter reaches the engine in one of two ways (docs/latency.md). Most are part of a request: a generation is
admitted with them and keeps them. Those in `_live` act on every generation in flight from the next tick on; they are
never part of a request, so that a neutral value is the same as none at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine import Dcw, Request, Source, blend_latents, channel_gain

if TYPE_CHECKING:
    from engine import Stream
    from sidecar.material import Material
    from sidecar.prompts import Prompts
    from sidecar.snapshot import Curve, Snapshot

Latent = NDArray[np.float32]

SEEDS: Final = 2**64
NEXT_SEED: Final = 0x9E3779B97F4A7C15
"""Between a seed and the next new one: 2**64 over the golden ratio, so that no offset of 0 .. 9999 meets another's."""

HISTORY: Final = 8
"""Finished latents that feedback may reach back to: the largest `feedback_depth`."""

GUIDANCE_MODES: Final = ("", "self", "initialize", "full")  # choices of `guidance_mode` in parameters.toml
DCW_MODES: Final = ("low", "high", "double", "pix")
WAVELETS: Final = ("haar", "db4", "db8", "sym8")
MOMENTUM: Final = -0.75
"""APG's, which a request has by itself."""

SDE: Final = 1

_GAINS: Final = {f"channels_{n + 1}": f"g{n}" for n in range(8)} | {
    f"keystone_{n}": f"ch{n}" for n in (13, 14, 19, 23, 29, 56)
}


class Requests:
    """What one stream of a pass is asked for.

    Args:
        stream: the engine's.
        material: what the pass is rendered from.

    Attributes:
        prompts: those of the generations that are admitted from now on.
    """

    def __init__(self, stream: Stream, material: Material) -> None:
        self.prompts = material.prompts
        self._stream = stream
        self._material = material
        self._finished: deque[Latent] = deque(maxlen=HISTORY)
        self._shared: dict[str, Curve] = {}

    def submit(self, snapshot: Snapshot) -> None:
        """Ask for a generation from a snapshot, and let what acts at once act on those in flight."""
        self._stream.submit(build(self._material, self.prompts, snapshot, self._finished))
        self._share(_live(snapshot, self.prompts))

    def finished(self, latent: Latent) -> None:
        """A generation of the stream came out; feedback hears it from now on."""
        self._finished.appendleft(latent)

    def _share(self, wanted: Mapping[str, Curve]) -> None:
        for name in sorted(self._shared.keys() - wanted.keys()):
            self._stream.set_shared(name, None)
            del self._shared[name]
        for name, curve in wanted.items():
            before = self._shared.get(name)
            if before is None or not np.array_equal(before, curve):  # what stays the same object costs nothing
                self._stream.set_shared(name, curve)
                self._shared[name] = curve


def build(material: Material, prompts: Prompts, snapshot: Snapshot, finished: Sequence[Latent] = ()) -> Request:
    """What a generation is admitted with.

    Args:
        material, prompts: of the pass.
        snapshot: the parameters.
        finished: latents [T, 64] that came out before, newest first.
    """
    frames = material.region.frames
    pair = prompts.pair(snapshot.choice("prompt_snapshot"))
    timbre = snapshot.scalar("timbre_strength")
    source = _source(material.source, snapshot, finished)
    mode = GUIDANCE_MODES[snapshot.choice("guidance_mode")]
    return Request(
        conditioning=pair.a.at(timbre),
        conditioning_b=None if pair.b is None else pair.b.at(timbre),
        prompt_blend=0.0 if pair.b is None else snapshot.curves["prompt_blend"],
        source=source,
        hints=_hints(material, snapshot),
        hint_strength=snapshot.curves["hint_strength"],
        denoise=1.0 if source is None else snapshot.scalar("denoise"),
        mask=None if source is None or snapshot.is_all("regenerate", 1.0) else snapshot.curves["regenerate"],
        x0_target=None if material.source is None else material.source.latent,
        channel_gain=_gain(snapshot, frames),
        negative=pair.negative if mode else None,
        guidance=1.0 if mode else None,
        guidance_mode=mode or "full",
        solver="sde" if snapshot.choice("solver") == SDE else "ode",
        shift=snapshot.held["shift"],
        dcw=_dcw(snapshot) if snapshot.choice("dcw") else None,
        loras={},
        seed=(prompts.seed + snapshot.choice("seed_offset") + snapshot.new_seeds * NEXT_SEED) % SEEDS,
        steps=material.clock.steps,
        frames=frames,
        noise_start=material.noise_start,
        control_version=snapshot.control_version,
        tag=snapshot.frame,
    )


def _source(source: Source | None, snapshot: Snapshot, finished: Sequence[Latent]) -> Source | None:
    if source is None or not finished or snapshot.is_all("feedback", 0.0):
        return source
    heard = finished[min(snapshot.choice("feedback_depth"), len(finished)) - 1]
    return Source(blend_latents(source.latent, heard, snapshot.curves["feedback"]), source.hints)


def _hints(material: Material, snapshot: Snapshot) -> Latent | None:
    structure = material.structure
    if structure is None or snapshot.is_all("structure_blend", 0.0):
        return None
    own = structure.otherwise if material.source is None else material.source.hints
    return blend_latents(own, structure.hints, snapshot.curves["structure_blend"] * structure.there)


def _gain(snapshot: Snapshot, frames: int) -> Latent | None:
    moved = {group: snapshot.curves[key] for key, group in _GAINS.items() if not snapshot.is_all(key, 1.0)}
    return channel_gain(moved, frames) if moved else None


def _dcw(snapshot: Snapshot) -> Dcw:
    return Dcw(
        mode=DCW_MODES[snapshot.choice("dcw_mode")],
        wavelet=WAVELETS[snapshot.choice("dcw_wavelet")],
        scaler=0.0,
        high_scaler=0.0,
        mult_blend=snapshot.scalar("dcw_mult_blend"),
        mag_phase=snapshot.scalar("dcw_mag_phase"),
        soft_thresh=snapshot.scalar("dcw_soft_thresh"),
    )


def _live(snapshot: Snapshot, prompts: Prompts) -> dict[str, Curve]:
    """What acts on the generations in flight, by its name in `engine.Stream.set_shared`; without what is neutral."""
    wanted = [("velocity_scale", "velocity_scale", 1.0), ("x0_strength", "source_lock", 0.0)]
    if snapshot.choice("solver") == SDE:
        wanted.append(("sde_denoise", "sde_amount", 1.0))
    else:
        wanted.append(("ode_noise", "ode_noise", 0.0))
    if snapshot.choice("guidance_mode"):
        wanted += [("guidance", "guidance", 1.0), ("cfg_rescale", "cfg_rescale", 0.0)]
        wanted.append(("apg_momentum", "apg_momentum", MOMENTUM))
    if snapshot.choice("dcw"):
        only_high = DCW_MODES[snapshot.choice("dcw_mode")] == "high"  # whose one scaler is that of the high band
        wanted.append(("dcw_scaler", "dcw_high" if only_high else "dcw_low", 0.0))
        wanted.append(("dcw_high_scaler", "dcw_high", 0.0))
    curves = {name: snapshot.curves[key] for name, key, neutral in wanted if not snapshot.is_all(key, neutral)}
    return curves | _strengths(snapshot, prompts)


def _strengths(snapshot: Snapshot, prompts: Prompts) -> dict[str, Curve]:
    strengths: dict[str, Curve] = {}
    for slot, lora in enumerate(prompts.loras):
        strength = snapshot.scalar(f"lora_{slot + 1}")
        if lora is not None and strength != 0.0:
            name = f"lora:{lora}"  # two slots may name the same content
            strengths[name] = strengths.get(name, 0.0) + strength
    return strengths
