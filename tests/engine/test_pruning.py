"""Dropping zero channels changes nothing."""

from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck
from torch import nn

import engine
from engine.model.prune import prune


def stock(session: engine.Session) -> Any:
    folder = session.checkpoint.folder / "vae"
    return AutoencoderOobleck.from_pretrained(folder, dtype=torch.float32, low_cpu_mem_usage=False).eval()


def weights(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_shipped_vae_pruned_is_the_stock_vae(session: engine.Session, audio: np.ndarray, latent: np.ndarray):
    whole = stock(session)
    with torch.no_grad():
        theirs_audio = whole.decode(torch.tensor(latent[:30]).T[None]).sample
        theirs_latent = whole.encode(torch.tensor(audio[:, : 30 * 1920])[None]).latent_dist.mean
        before = weights(whole)
        encoder, decoder = prune(whole)
        np.testing.assert_allclose(decoder(torch.tensor(latent[:30]).T[None]), theirs_audio, atol=1e-5)
        np.testing.assert_allclose(encoder(torch.tensor(audio[:, : 30 * 1920])[None]), theirs_latent, atol=1e-5)
    assert weights(encoder) + weights(decoder) < before / 2


def small(seed: int) -> Any:
    torch.manual_seed(seed)
    made = AutoencoderOobleck(
        encoder_hidden_size=8,
        downsampling_ratios=[2, 4],
        channel_multiples=[1, 2],
        decoder_channels=6,
        decoder_input_channels=4,
        sampling_rate=48_000,
    )
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made.eval()


def run(vae: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, nn.Module, nn.Module]:
    torch.manual_seed(9)
    audio, latent = torch.randn(1, 2, 160), torch.randn(1, 4, 20)
    with torch.no_grad():
        mean, sound = vae.encode(audio).latent_dist.mean, vae.decode(latent).sample
        encoder, decoder = prune(vae)
        return mean, sound, encoder(audio), decoder(latent), encoder, decoder


def test_a_vae_without_zeros_keeps_every_channel_and_every_bit():
    vae = small(1)
    mean, sound, pruned_mean, pruned_sound, _, decoder = run(vae)
    assert torch.equal(sound, pruned_sound)
    torch.testing.assert_close(mean, pruned_mean, atol=1e-6, rtol=0)
    # a Snake's alpha and beta are buffers afterwards
    assert weights(decoder) == weights(vae.decoder) - sum(
        p.numel() for name, p in vae.decoder.named_parameters() if name.endswith(("alpha", "beta"))
    )


def _silence(conv: Any, channels: list[int], *, bias: bool = True) -> None:
    gain = conv.weight_g
    gain[channels] = 0.0
    if bias and conv.bias is not None:
        conv.bias[channels] = 0.0


def test_zero_channels_dead_units_and_channels_that_only_a_bias_or_a_residual_feeds():
    vae = small(2)
    with torch.no_grad():
        _silence(vae.encoder.conv1, [0, 3, 5])
        _silence(vae.encoder.block[0].res_unit2.conv2, list(range(8)))  # a dead unit
        _silence(vae.encoder.block[0].res_unit1.conv2, [0, 3])  # 5 comes alive again through the residual
        _silence(vae.encoder.block[0].res_unit3.conv2, [0, 3, 5], bias=False)  # 0 and 3 through a bias alone
        _silence(vae.encoder.block[0].res_unit3.conv1, list(range(8)))  # nothing in the middle
        _silence(vae.decoder.conv1, [1, 2, 11])
        transposed = vae.decoder.block[0].conv_t1  # norm over inputs: zero output channels in the direction instead
        transposed.weight_v[:, [0, 4]] = 0.0
        transposed.bias[[0, 4]] = 0.0
        block = vae.decoder.block[0]
        for unit in (block.res_unit1, block.res_unit2, block.res_unit3):
            _silence(unit.conv2, [0])
        _silence(vae.decoder.block[0].res_unit2.conv2, list(range(6)))
    mean, sound, pruned_mean, pruned_sound, encoder, decoder = run(vae)
    torch.testing.assert_close(mean, pruned_mean, atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(sound, pruned_sound, atol=2e-6, rtol=1e-5)
    assert weights(encoder) < weights(vae.encoder) * 0.9
    assert weights(decoder) < weights(vae.decoder) * 0.9


def test_pruning_draws_no_random_numbers():
    vae = small(3)
    state = torch.get_rng_state()
    prune(vae)
    assert torch.equal(state, torch.get_rng_state())
