"""The step maths again, in float64 numpy from the published formulas, and random requests to hold them against."""

from collections.abc import Callable

import numpy as np
import pywt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

import engine
from engine.backends import NO_LORAS, Backend, Loras
from engine.step.noise import normal
from engine.step.schedule import times
from engine.stream.stream import Stream


class Recording:
    """The real networks; remembers what they were asked and what they answered."""

    name = "recording"

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.calls: list[tuple[np.ndarray, np.ndarray]] = []
        self.contexts: list[np.ndarray] = []

    def dit_step(
        self, x: Tensor, time: float, conditioning: engine.Conditioning, context: Tensor, loras: Loras = NO_LORAS
    ) -> Tensor:
        velocity = self.inner.dit_step(x, time, conditioning, context, loras)
        self.contexts.append(context[0].numpy())
        self.calls.append((x[0].numpy().astype(np.float64), velocity[0].numpy().astype(np.float64)))
        return velocity


def recorded(
    session: engine.Session, request: engine.Request
) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """The latent of a request, and input and velocity [T, 64] of every forward it took."""
    latent, backend = _recorded(session, request)
    return latent, backend.calls


def contexts(session: engine.Session, request: engine.Request) -> list[np.ndarray]:
    """The context [T, 128] of every forward that a request took."""
    return _recorded(session, request)[1].contexts


def _recorded(session: engine.Session, request: engine.Request) -> tuple[np.ndarray, Recording]:
    backend = Recording(session.backend)
    silence = session.empty_latent(request.frames)
    stream = Stream(backend, silence, 1, session.checkpoint.conditioning_width)
    stream.submit(request)
    (done,) = stream.flush()
    assert done.latent is not None, done.error
    return done.latent, backend


def at_frames(value: object, frames: int) -> np.ndarray:
    """A curve as [T, 1] float64, resampled linearly with aligned ends."""
    points = np.atleast_1d(np.asarray(value, np.float64))
    if points.size == 1:
        return np.full((frames, 1), points[0])
    return np.interp(np.linspace(0, points.size - 1, frames), np.arange(points.size), points)[:, None]


def expected(request: engine.Request, velocities: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """What the DiT reads at every step, and the final latent, given the velocity of every step."""
    frames = request.frames
    t = _times(request)
    n = len(t) - 1
    start = normal(request.seed, 0, frames, request.noise_start).astype(np.float64)
    source = None if request.source is None else request.source.latent.astype(np.float64)
    scale = at_frames(request.velocity_scale, frames)
    gain = np.ones(64) if request.channel_gain is None else np.asarray(request.channel_gain, np.float64)
    x = _initial(request, start, source, t[0])
    read: list[np.ndarray] = []
    answers = iter(velocities)
    guide = Guide(request, start)
    for i in range(n):
        mask = _mask(request, i)
        if mask is not None:
            x = mask * x + (1 - mask) * (t[i] * start + (1 - t[i]) * source)
        before = x

        def forward(seen: np.ndarray = x * gain) -> np.ndarray:
            read.append(seen)
            return next(answers)

        v = composed(positive(request), i / n, forward, x)
        if guide.acts(t[i]):
            v = guide.apply(v, lambda i=i, ask=forward, x=x: composed(negative(request), i / n, ask, x))
        clean = x - t[i] * v * scale
        share = _share(request, i)
        clean = clean if share is None else (1 - share) * clean + share * np.asarray(request.x0_target)
        clean = clean if mask is None else mask * clean + (1 - mask) * source
        x = _next(request, x, clean, i, t, start, source)
        if request.dcw is not None:
            corrected = wavelet_corrected(request.dcw, x, before - t[i] * v, t[i])
            x = corrected if mask is None else mask * corrected + (1 - mask) * x
    if (mask := _mask(request, n - 1)) is not None:
        x = mask * x + (1 - mask) * source
    return read, x


def _times(request: engine.Request) -> np.ndarray:
    if request.timesteps is None:
        return times(request.steps, request.shift, request.denoise).astype(np.float64)
    given = np.array(request.timesteps, np.float32).astype(np.float64)
    return given if given[-1] == 0 else np.append(given, 0.0)


Weighted = list[tuple[np.ndarray, tuple[float, float]]]


def positive(request: engine.Request) -> Weighted:
    """Weight [T, 1] and range of steps of every prompt that a request asks for."""
    blend, weight = at_frames(request.prompt_blend, request.frames), at_frames(request.weight, request.frames)
    if request.conditioning_b is None:
        blend = blend * 0
    pair = [(weight * share, request.condition_steps) for share in (1 - blend, blend) if share.any()]
    return pair + [(at_frames(c.weight, request.frames), c.steps) for c in request.conditions]


def negative(request: engine.Request) -> Weighted:
    """The same of those that it guides away from."""
    if isinstance(request.negative, engine.Conditioning):
        return [(at_frames(1.0, request.frames), (0.0, 1.0))]
    assert request.negative is not None
    return [(at_frames(c.weight, request.frames), c.steps) for c in request.negative]


def composed(prompts: Weighted, progress: float, forward: Callable[[], np.ndarray], x: np.ndarray) -> np.ndarray:
    """sum(w v) / max(sum w, 1e-8) over the active prompts; one alone as it is; the first where none is active."""
    active = [weight for weight, (start, end) in prompts if start <= progress < end] or [prompts[0][0]]
    if len(active) == 1:
        return forward()
    total = np.maximum(sum(active), 1e-8)
    return sum((weight * forward() / total for weight in active if weight.any()), np.zeros_like(x))


class Guide:
    """APG, as published: norms and projections over time, per channel."""

    def __init__(self, request: engine.Request, start: np.ndarray) -> None:
        self.request = request
        self.negative = start if request.guidance_mode == "self" else None
        self.running = np.zeros_like(start)

    def acts(self, t: float) -> bool:
        if self.request.guidance is None or np.all(np.asarray(self.request.guidance) == 1.0):
            return False
        return self.request.guidance_interval[0] <= 1 - t <= self.request.guidance_interval[1]

    def apply(self, v: np.ndarray, forward: Callable[[], np.ndarray]) -> np.ndarray:
        frames = self.request.frames
        negative = forward() if self.negative is None else self.negative
        if self.request.guidance_mode == "initialize":
            self.negative = negative
        self.running = v - negative + at_frames(self.request.apg_momentum, frames) * self.running
        limit = self.request.apg_norm_threshold or np.inf
        limited = self.running * np.minimum(1.0, limit / np.maximum(np.linalg.norm(self.running, axis=0), 1e-12))
        unit = v / np.maximum(np.linalg.norm(v, axis=0), 1e-12)
        parallel = (limited * unit).sum(axis=0) * unit
        update = limited - parallel + self.request.apg_eta * parallel
        guided = v + (at_frames(self.request.guidance, frames) - 1) * update
        rescale = at_frames(self.request.cfg_rescale, frames)
        length = np.linalg.norm(v, axis=0) / np.maximum(np.linalg.norm(guided, axis=0), 1e-12)
        return rescale * guided * length + (1 - rescale) * guided


def wavelet_corrected(dcw: engine.Dcw, x: np.ndarray, y: np.ndarray, t: float) -> np.ndarray:
    """DCW as published: the bands of x and y, corrected, transformed back, cut to length."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    scaler, high_scaler = at_frames(dcw.scaler, len(x)), at_frames(dcw.high_scaler, len(x))
    if dcw.mode == "pix":
        return x + scaler * (x - y)
    bands, clean = (list(pywt.dwt(value, dcw.wavelet, "zero", axis=0)) for value in (x, y))
    if dcw.mode in {"low", "double"}:
        bands[0] = _band(dcw, bands[0], clean[0], t * scaler)
    if dcw.mode in {"high", "double"}:
        bands[1] = _band(dcw, bands[1], clean[1], (1 - t) * (scaler if dcw.mode == "high" else high_scaler))
    return pywt.idwt(*bands, dcw.wavelet, "zero", axis=0)[: len(x)]


def _band(dcw: engine.Dcw, x: np.ndarray, y: np.ndarray, curve: np.ndarray) -> np.ndarray:
    # linear resampling with cell centres, as the reference does it
    resized = interpolate(torch.tensor(curve.T)[None], size=len(x), mode="linear", align_corners=False)
    strength = resized[0].numpy().T
    sign = np.sign(x - y)
    difference = sign * np.maximum(np.abs(x - y) - dcw.soft_thresh, 0.0)
    result = (1 - dcw.mult_blend) * (x + strength * difference) + dcw.mult_blend * x * (1 + strength * sign)
    if dcw.mag_phase == 0.0:
        return result
    zx, zy = _analytic(x), _analytic(y)
    magnitude = np.abs(zx) + strength * (np.abs(zx) - np.abs(zy))
    angle = np.angle(zx) + strength * np.angle(zx / (zy + 1e-8))
    return (1 - dcw.mag_phase) * result + dcw.mag_phase * magnitude * np.cos(angle)


def _analytic(band: np.ndarray) -> np.ndarray:
    frequencies = np.fft.fftfreq(len(band))[:, None]
    factor = np.where(frequencies > 0, 2.0, np.where(frequencies == 0, 1.0, 0.0))
    factor[np.abs(frequencies) == 0.5] = 1.0  # Nyquist, which an odd length does not have
    return np.fft.ifft(np.fft.fft(band, axis=0) * factor, axis=0)


def _initial(request: engine.Request, start: np.ndarray, source: np.ndarray | None, t: float) -> np.ndarray:
    if request.initial_noise is not None:
        c = at_frames(request.initial_noise, request.frames)
        return c * start + (1 - c) * source
    return start if source is None else t * start + (1 - t) * source


def _mask(request: engine.Request, i: int) -> np.ndarray | None:
    if request.mask is None:
        return None
    strength = 1.0 if request.mask_strength is None else at_frames(request.mask_strength, len(_times(request)) - 1)[i]
    return at_frames(request.mask, request.frames) * strength


def _share(request: engine.Request, i: int) -> np.ndarray | None:
    if request.x0_curve is not None:
        p = i / max(len(_times(request)) - 2, 1)
        ramp = max(0.0, p - request.x0_gate) / max(1 - request.x0_gate, 1e-6)
        return at_frames(request.x0_curve, request.frames) * ramp
    return (
        at_frames(request.x0_strength, request.frames)
        if request.x0_target is not None and i >= (len(_times(request)) - 1) // 2
        else None
    )


def _next(
    request: engine.Request,
    x: np.ndarray,
    clean: np.ndarray,
    i: int,
    t: np.ndarray,
    start: np.ndarray,
    source: np.ndarray | None,
) -> np.ndarray:
    fresh = normal(request.seed, 1 + i, request.frames, request.noise_start).astype(np.float64)
    after = t[i + 1]
    if request.sde_denoise is not None:
        c = at_frames(request.sde_denoise, request.frames)
        return c * (after * fresh + (1 - after) * clean) + (1 - c) * (after * fresh + (1 - after) * source)
    if request.solver == "sde":
        whole_mask = request.mask is None or (np.all(_all_weights(request) == 1.0))
        return after * (fresh if whole_mask else start) + (1 - after) * clean
    noise = at_frames(request.ode_noise, request.frames) * fresh * after
    return x + (after - t[i]) * (x - clean) / t[i] + noise


def _all_weights(request: engine.Request) -> np.ndarray:
    return np.stack([_mask(request, i) for i in range(len(_times(request)) - 1)])
