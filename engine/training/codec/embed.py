"""Writing the twin into the stock class, so that any program that reads ACE-Step's layout can load it.

What the twin does not have becomes exact zeros. The stock convolutions are weight-normed, w = g v / |v|, so a missing
channel has g = 0 and any v that is not zero; v = w and g = |w| for the others, which keeps the two in step when they
are rounded to float16.
"""

import math
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck
from torch import Tensor, nn

from engine.constants import AUDIO_CHANNELS, LATENT_CHANNELS, SAMPLE_RATE
from engine.training.codec.twin import RATIOS, Decoder, Encoder, Snake, Twin, Unit, Widths


@torch.no_grad()
def embed(twin: Twin, widths: Widths, deviation: float) -> AutoencoderOobleck:
    """The stock VAE that computes what the twin does.

    Args:
        twin: trained; its normalisation becomes part of the last convolution.
        widths: its widths.
        deviation: of the posterior that the stock class samples, the same for every latent.
    """
    stock = AutoencoderOobleck(
        encoder_hidden_size=2 * LATENT_CHANNELS,
        downsampling_ratios=list(RATIOS),
        channel_multiples=[1, 1, 1, 1, 2],
        decoder_channels=widths.stock,
        decoder_input_channels=LATENT_CHANNELS,
        audio_channels=AUDIO_CHANNELS,
        sampling_rate=SAMPLE_RATE,
    )
    _encoder(cast(Any, stock).encoder, twin.encoder)
    _normalise(cast(Any, stock).encoder.conv2, twin, deviation)
    _decoder(cast(Any, stock).decoder, twin.decoder)
    return stock.eval()


def _encoder(stock: Any, twin: Encoder) -> None:
    _conv(stock.conv1, twin.conv1)
    for into, stage in zip(stock.block, cast(Any, twin.block), strict=True):
        _units((into.res_unit1, into.res_unit2, into.res_unit3), list(stage.units))
        _snake(into.snake1, stage.snake1)
        _conv(into.conv1, stage.conv1)
    _snake(stock.snake1, twin.snake1)
    _conv(stock.conv2, twin.conv2)


def _decoder(stock: Any, twin: Decoder) -> None:
    _conv(stock.conv1, twin.conv1)
    for into, stage in zip(stock.block, cast(Any, twin.block), strict=True):
        _snake(into.snake1, stage.snake1)
        _conv(into.conv_t1, stage.conv_t1)
        _units((into.res_unit1, into.res_unit2, into.res_unit3), list(stage.units))
    _snake(stock.snake1, twin.snake1)
    _conv(stock.conv2, twin.conv2)


def _normalise(stock: Any, twin: Twin, deviation: float) -> None:
    """Fold the normalisation into the mean's half; the other half is the scale, softplus(bias) + 1e-4 in diffusers."""
    mean, variance = cast(Tensor, twin.norm.running_mean), cast(Tensor, twin.norm.running_var)
    scale = (variance + twin.norm.eps).rsqrt()
    stock.weight_g[:LATENT_CHANNELS] *= scale.view(-1, 1, 1)
    stock.weight_v[:LATENT_CHANNELS] *= scale.view(-1, 1, 1)
    stock.bias[:LATENT_CHANNELS] = (cast(Tensor, twin.encoder.conv2.bias) - mean) * scale
    stock.bias[LATENT_CHANNELS:] = math.log(math.expm1(deviation - 1e-4))


def _conv(into: Any, conv: nn.Conv1d | nn.ConvTranspose1d) -> None:
    """The first index is the one that is normed in both classes; in a transposed convolution it counts the inputs."""
    wide = torch.zeros_like(into.weight_v)
    rows, columns = conv.weight.shape[:2]
    wide[:rows, :columns] = conv.weight
    norm = wide.square().sum((1, 2), keepdim=True).sqrt()
    into.weight_g.copy_(norm)
    into.weight_v.copy_(torch.where(norm > 0, wide, _unit(wide)))
    if into.bias is not None:
        into.bias.zero_()
        into.bias[: conv.out_channels] = conv.bias


def _unit(like: Tensor) -> Tensor:
    return torch.full_like(like, 1.0 / math.sqrt(like[0].numel()))


def _snake(into: Any, snake: Snake) -> None:
    for name in ("alpha", "beta"):
        wide = getattr(into, name)
        narrow = getattr(snake, name)
        wide.zero_()
        wide[:, : narrow.shape[1]] = narrow


def _units(into: tuple[Any, ...], units: list[Unit]) -> None:
    for index, stock in enumerate(into):
        if index >= len(units):
            _silence(stock)
            continue
        unit = units[index]
        _snake(stock.snake1, unit.snake1)
        _conv(stock.conv1, unit.conv1)
        _snake(stock.snake2, unit.snake2)
        _conv(stock.conv2, unit.conv2)


def _silence(stock: Any) -> None:
    """Make a residual unit the identity."""
    for conv in (stock.conv1, stock.conv2):
        conv.weight_v.copy_(_unit(conv.weight_v))
        conv.weight_g.zero_()
        conv.bias.zero_()
