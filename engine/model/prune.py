"""Removing the exact zeros from a VAE.

diffusers ties the Oobleck's latent width to its channel counts, so a small VAE only exists there as a wide one whose
surplus channels are zero. Those channels cost as much as real ones. Dropping them changes nothing but the order of
sums: a channel that a convolution leaves at exactly zero stays zero through Snake (sin 0 = 0) and contributes zero to
the next convolution; a residual unit whose last convolution is zero is the identity. A VAE without such zeros keeps
every channel.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

import torch
from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck
from torch import Tensor, nn
from torch.nn.utils import remove_weight_norm

_Index: TypeAlias = Tensor  # sorted channel numbers [n] int64
_Conv: TypeAlias = nn.Conv1d | nn.ConvTranspose1d


class Snake(nn.Module):
    """x + sin(alpha x)^2 / beta per channel, over a subset of a stock Snake's channels."""

    alpha: Tensor
    gain: Tensor

    def __init__(self, stock: Any, live: _Index) -> None:
        super().__init__()
        self.register_buffer("alpha", torch.exp(stock.alpha)[:, live].contiguous())
        # 1e-9 as in the stock module: beta is exp of a weight and may underflow
        self.register_buffer("gain", (torch.exp(stock.beta) + 1e-9).reciprocal()[:, live].contiguous())

    def forward(self, x: Tensor) -> Tensor:
        return (self.alpha * x).sin_().square_().mul_(self.gain).add_(x)


class Residual(nn.Module):
    """x + body(x)."""

    def __init__(self, body: nn.Sequential) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x).add_(x)


def prune(vae: AutoencoderOobleck) -> tuple[nn.Sequential, nn.Sequential]:
    """Fold the weight norm of a stock VAE in place, and build its encoder and decoder without zero channels.

    Returns:
        (encoder, decoder): audio [B, 2, N] -> posterior mean [B, 64, N / 1920], and latent [B, 64, T] -> audio
        [B, 2, 1920 T].
    """
    for module in vae.modules():
        if hasattr(module, "weight_g"):
            remove_weight_norm(module)
    with torch.no_grad():
        return _encoder(vae).eval(), _decoder(vae).eval()


def _encoder(vae: AutoencoderOobleck) -> nn.Sequential:
    stock: Any = vae.encoder
    layers: list[nn.Module] = []
    feed, live = stock.conv1, _all(stock.conv1.in_channels)
    for block in stock.block:
        units = (block.res_unit1, block.res_unit2, block.res_unit3)
        live = _extend(layers, feed, live, units)
        layers.append(Snake(block.snake1, live))
        feed = block.conv1
    live = _extend(layers, feed, live, ())
    mean = _all(stock.conv2.out_channels // 2)  # the second half is the posterior's scale, which is never sampled here
    layers += [Snake(stock.snake1, live), _conv(stock.conv2, live, mean)]
    return nn.Sequential(*layers)


def _decoder(vae: AutoencoderOobleck) -> nn.Sequential:
    stock: Any = vae.decoder
    layers: list[nn.Module] = []
    live = _extend(layers, stock.conv1, _all(stock.conv1.in_channels), ())
    for block in stock.block:
        layers.append(Snake(block.snake1, live))
        live = _extend(layers, block.conv_t1, live, (block.res_unit1, block.res_unit2, block.res_unit3))
    layers += [Snake(stock.snake1, live), _conv(stock.conv2, live, _all(stock.conv2.out_channels))]
    return nn.Sequential(*layers)


def _extend(layers: list[nn.Module], feed: _Conv, inputs: _Index, units: Iterable[Any]) -> _Index:
    """Append a convolution and the residual units behind it; return the channels that can be other than zero."""
    units = [unit for unit in units if not _is_zero(unit.conv2)]
    nonzero = _reached(feed, inputs)
    for unit in units:
        nonzero = nonzero | _reached(unit.conv2, _all(unit.conv2.in_channels))
    live = _index(nonzero)
    layers.append(_conv(feed, inputs, live))
    layers.extend(_residual(unit, live) for unit in units)
    return live


def _residual(unit: Any, live: _Index) -> Residual:
    middle = _index(_reached(unit.conv1, live))
    body = (
        Snake(unit.snake1, live),
        _conv(unit.conv1, live, middle),
        Snake(unit.snake2, middle),
        _conv(unit.conv2, middle, live),
    )
    return Residual(nn.Sequential(*body))


def _all(channels: int) -> _Index:
    return torch.arange(channels)


def _index(channels: Tensor) -> _Index:
    found = channels.nonzero().flatten()
    return found if found.numel() else _all(1)  # a convolution needs one channel, zero as it may be


def _is_zero(conv: _Conv) -> bool:
    return not conv.weight.any() and (conv.bias is None or not conv.bias.any())


def _reached(conv: _Conv, inputs: _Index) -> Tensor:
    """[C] bool: output channels that can be other than zero when only these inputs can."""
    by_output = conv.weight.transpose(0, 1) if isinstance(conv, nn.ConvTranspose1d) else conv.weight
    reached = by_output[:, inputs].flatten(1).any(1)
    return reached if conv.bias is None else reached | (conv.bias != 0)


def _conv(stock: _Conv, inputs: _Index, outputs: _Index) -> _Conv:
    made = type(stock)(
        inputs.numel(),
        outputs.numel(),
        kernel_size=stock.kernel_size[0],
        stride=stock.stride[0],
        padding=int(stock.padding[0]),
        dilation=stock.dilation[0],
        bias=stock.bias is not None,
        device="meta",  # no memory and no random numbers for weights that are replaced at once
    )
    transposed = isinstance(stock, nn.ConvTranspose1d)
    weight = stock.weight[inputs][:, outputs] if transposed else stock.weight[outputs][:, inputs]
    made.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    if stock.bias is not None:
        made.bias = nn.Parameter(stock.bias[outputs].contiguous(), requires_grad=False)
    return made
