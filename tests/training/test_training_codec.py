"""The twin of the stock VAE, and what its training compares."""

import pytest
import torch

from engine.model.prune import prune
from engine.training.codec.embed import embed
from engine.training.codec.losses import log_mels, log_spectra, mid_side, phases
from engine.training.codec.task import si_sdr
from engine.training.codec.twin import Twin
from engine.training.recipe import Recipe, read


@pytest.mark.parametrize("shipped", [False, True])
def test_the_stock_class_computes_what_the_twin_does_and_is_pruned_back(recipe: Recipe, shipped: bool) -> None:
    widths = read().widths if shipped else recipe.widths
    generator = torch.Generator().manual_seed(0)
    twin = Twin(widths).eval()
    twin.norm.running_mean.normal_(generator=generator)
    twin.norm.running_var.uniform_(0.5, 2.0, generator=generator)
    with torch.inference_mode():
        for weight in twin.parameters():
            weight.add_(0.02 * torch.randn(weight.shape, generator=generator))
        audio = 0.3 * torch.randn(1, 2, 1920 * 10, generator=generator)
        latent = twin.encode(audio)
        heard = twin.decoder(latent)
        stock = embed(twin, widths, 0.14)
        posterior = stock.encode(audio).latent_dist
        torch.testing.assert_close(posterior.mean, latent, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(posterior.std, torch.full_like(latent, 0.14), rtol=1e-3, atol=0)
        torch.testing.assert_close(stock.decode(latent).sample, heard, rtol=1e-4, atol=1e-5)
        half = embed(twin, widths, 0.14).to(torch.float16).float()
        assert si_sdr(heard, half.decode(latent).sample) > 40.0
    encoder, decoder = prune(stock)
    count = sum(weight.numel() for weight in [*decoder.parameters(), *decoder.buffers()])
    assert count <= sum(weight.numel() for weight in twin.decoder.parameters())
    with torch.inference_mode():
        torch.testing.assert_close(encoder(audio), latent, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(decoder(latent), heard, rtol=1e-4, atol=1e-5)


def test_each_loss_is_zero_for_equal_sound_and_hears_what_it_is_for() -> None:
    generator = torch.Generator().manual_seed(0)
    time = torch.arange(48_000) / 48_000
    low, high = torch.sin(2 * torch.pi * 110 * time), torch.sin(2 * torch.pi * 4_000 * time)
    low_late, high_late = torch.sin(2 * torch.pi * 110 * time + 1), torch.sin(2 * torch.pi * 4_000 * time + 1)
    for loss in (log_spectra, log_mels, phases):
        noise = 0.1 * torch.randn(2, 48_000, generator=generator)
        assert loss(noise, noise) < 1e-4
        assert loss(low[None], high[None]) > 0.05
    # phase counts where it is heard, and there alone
    assert phases(low[None], low_late[None]) > 4 * phases(high[None], high_late[None])
    one, other = 0.1 * torch.randn(2, 2, 48_000, generator=generator)
    assert log_mels(one, other) < 0.5 * log_spectra(one, other)  # hiss is hiss, however its lines fall
    assert log_mels(one, other) < 0.5 * log_mels(one, 2.0 * one)


def test_mid_and_side_keep_the_energy() -> None:
    audio = torch.randn(3, 2, 1_000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(mid_side(audio).square().sum(), audio.square().sum())


def test_distortion_is_measured_whatever_the_level() -> None:
    audio = torch.randn(1, 2, 48_000, generator=torch.Generator().manual_seed(0))
    noise = torch.randn(1, 2, 48_000, generator=torch.Generator().manual_seed(1))
    for level in (0.1, 1.0, 5.0):
        assert abs(float(si_sdr(audio, level * (audio + 0.1 * noise))) - 20.0) < 0.2
