"""The wavelet correction, against PyWavelets in float64."""

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from step_reference import wavelet_corrected

import engine
from engine.request.dcw import DCW_MODES, checked
from engine.step.filterbank import HIGH, LOW, filter_bank
from engine.step.wavelet import Correction

WAVELETS = pywt.wavelist(kind="discrete")
LOSSY = {"dmey"}  # its published filters reconstruct to 1 %
PLAIN = {"mult_blend": 0.0, "mag_phase": 0.0, "soft_thresh": 0.0}


def noise(frames: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(frames, 64)).astype(np.float32)


def applied(dcw: engine.Dcw, x: np.ndarray, y: np.ndarray, t: float) -> np.ndarray:
    asked = checked(dcw, len(x))
    assert asked is not None
    correction = Correction.of(asked)
    if correction is None:
        return x
    return correction.applied(torch.tensor(x), torch.tensor(y), t).numpy()


@pytest.mark.parametrize("wavelet", WAVELETS)
def test_every_wavelet_splits_and_joins_as_pywavelets_does(wavelet: str):
    latent = noise(46, 1)
    bank = filter_bank(wavelet)
    low, high = (bank.band(torch.tensor(latent), band) for band in (LOW, HIGH))
    for found, wanted in zip((low, high), pywt.dwt(latent.astype(np.float64), wavelet, "zero", axis=0), strict=True):
        assert len(found) == bank.length(46)
        np.testing.assert_allclose(found, wanted, atol=1e-4)
    joined = bank.joined(low, LOW) + bank.joined(high, HIGH)
    np.testing.assert_allclose(joined, latent, atol=0.2 if wavelet in LOSSY else 1e-3)


@st.composite
def corrections(draw: st.DrawFn) -> engine.Dcw:
    strength = st.one_of(st.floats(-0.5, 0.5), st.just(np.linspace(-0.2, 0.4, 40)))
    return engine.Dcw(
        mode=draw(st.sampled_from(DCW_MODES)),
        scaler=draw(strength),  # type: ignore[arg-type]
        high_scaler=draw(strength),  # type: ignore[arg-type]
        wavelet=draw(st.sampled_from(["haar", "db2", "db4", "sym8", "coif1", "bior2.2", "bior3.1", "rbio1.3", "db38"])),
        mult_blend=draw(st.sampled_from([0.0, 0.3, 1.0])),
        soft_thresh=draw(st.sampled_from([0.0, 0.2])),
    )


@given(corrections(), st.floats(0, 1), st.integers(0, 99))
@settings(deadline=None)
def test_a_correction_is_what_the_formula_says(dcw: engine.Dcw, t: float, seed: int):
    x, y = noise(40, seed), noise(40, seed + 100)
    np.testing.assert_allclose(applied(dcw, x, y, t), wavelet_corrected(dcw, x, y, t), atol=2e-4)


@pytest.mark.parametrize("wavelet", ["haar", "db3", "sym4"])  # odd and even numbers of coefficients
@pytest.mark.parametrize("frames", [40, 42])
@pytest.mark.parametrize("mag_phase", [0.4, 1.0])
def test_magnitude_and_phase_move_apart_as_the_formula_says(wavelet: str, frames: int, mag_phase: float):
    # tones: where a band's analytic signal comes near 0, rounding alone decides its phase
    phase = 0.6 * np.arange(frames)[:, None] + np.arange(64)[None]
    x = np.cos(phase).astype(np.float32)
    y = (0.8 * np.cos(phase + 0.4)).astype(np.float32)
    dcw = engine.Dcw(wavelet=wavelet, scaler=0.3, high_scaler=0.2, mag_phase=mag_phase)
    np.testing.assert_allclose(applied(dcw, x, y, 0.6), wavelet_corrected(dcw, x, y, 0.6), atol=1e-4)


@pytest.mark.parametrize("wavelet", ["haar", "db4"])
def test_rows_together_are_rows_alone_bit_for_bit(wavelet: str):
    x, y = (torch.tensor(np.stack([noise(40, seed + n) for n in range(5)])) for seed in (0, 50))
    times = torch.tensor([1.0, 0.8, 0.5, 0.3, 0.1]).reshape(-1, 1, 1)
    for dcw in (engine.Dcw(wavelet=wavelet), engine.Dcw(wavelet=wavelet, mult_blend=0.5, soft_thresh=0.1)):
        correction = Correction.of(checked(dcw, 40))  # type: ignore[arg-type]
        assert correction is not None
        together = correction.applied(x, y, times)
        for row in range(5):
            assert torch.equal(together[row], correction.applied(x[row], y[row], times[row]))


@pytest.mark.parametrize("mode", DCW_MODES)
@pytest.mark.parametrize("wavelet", ["haar", "db4"])
def test_strengths_of_zero_are_no_correction_whatever_its_shape(mode: str, wavelet: str):
    dcw = engine.Dcw(mode=mode, scaler=0.0, high_scaler=np.zeros(3), wavelet=wavelet, mult_blend=1.0, mag_phase=1.0)
    assert Correction.of(checked(dcw, 40)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("wavelet", ["haar", "db4"])
def test_the_three_extras_at_zero_change_no_bit(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source, wavelet: str
):
    def latent(**fields: float) -> bytes:
        dcw = engine.Dcw(scaler=0.3, wavelet=wavelet, **fields)  # type: ignore[arg-type]
        asked = engine.Request(conditioning=prompt, source=source, frames=60, steps=2, ode_noise=0.3, dcw=dcw)
        return session.generate(asked).tobytes()

    assert latent(**PLAIN) == latent()
    for name in PLAIN:
        assert latent(**{name: 0.5}) != latent()


@pytest.mark.parametrize("wavelet", ["haar", "sym8"])
def test_preserved_frames_are_not_corrected(
    session: engine.Session, prompt: engine.Conditioning, source: engine.Source, wavelet: str
):
    mask = np.r_[np.zeros(31), np.ones(29)]
    dcw = engine.Dcw(scaler=0.5, high_scaler=0.5, wavelet=wavelet, mult_blend=0.3, mag_phase=0.3)
    asked = engine.Request(conditioning=prompt, source=source, frames=60, steps=3, mask=mask, dcw=dcw)  # type: ignore[arg-type]
    assert session.generate(asked)[:31].tobytes() == source.latent[:31].tobytes()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("wavelet", "db99"), ("wavelet", "morl"), ("wavelet", 4), ("mult_blend", 1.2), ("mult_blend", "half"),
        ("mag_phase", -0.1), ("soft_thresh", -1.0), ("soft_thresh", float("inf")), ("mode", "mid"),
        ("scaler", float("nan")),
    ],
)  # fmt: skip
def test_a_bad_field_is_refused_by_name(field: str, value: object):
    with pytest.raises(engine.RequestError) as caught:
        checked(engine.Dcw(**{field: value}), 40)  # type: ignore[arg-type]
    assert caught.value.field == f"dcw.{field}"
