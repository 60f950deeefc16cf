"""Latents."""

from typing import Annotated

from engine.graph.declare import Family, param, port
from engine.graph.nodes.model import ChannelFactor, FirstChannel, LastChannel
from engine.graph.request import Duration, frames_of
from engine.graph.values import FrameCurve, Latent, Model
from engine.request.channels import channel_gain
from engine.request.latents import blend_latents

family = Family("latent")


@family.node("EmptyLatent")
def empty_latent(model: Annotated[Model, port("Whose silence.")], duration: Duration) -> Latent:
    """Encoded silence."""
    return Latent(model.session.empty_latent(frames_of(duration)))


@family.node("LatentBlend")
def latent_blend(
    latent_a: Annotated[Latent, port("What 0 is.")],
    latent_b: Annotated[Latent, port("What 1 is; as long as latent_a.")],
    blend_curve: Annotated[FrameCurve | None, port("Blend per frame, 0 to 1, in place of alpha.")],
    alpha: Annotated[float, param(0.5, "Share of latent_b.", low=0.0, high=1.0)],
) -> Latent:
    """Mix two latents, or the hints of two sources. A mask is that of latent_a."""
    weight = alpha if blend_curve is None else blend_curve.values
    return Latent(blend_latents(latent_a.frames, latent_b.frames, weight), latent_a.mask)


@family.node("SemanticExtract")
def semantic_extract(
    model: Annotated[Model, port("Whose audio tokens.")],
    latent: Annotated[Latent, port("The source.")],
) -> Latent:
    """The hints of a source: its latent through the 5 Hz audio tokens and back. What a cover keeps."""
    return Latent(model.session.extract_hints(latent.frames))


@family.node("LatentChannelScale")
def latent_channel_scale(
    latent: Annotated[Latent, port("What is scaled.")],
    channel_start: FirstChannel,
    channel_end: LastChannel,
    scale: ChannelFactor,
) -> Latent:
    """Scale channels of a finished latent."""
    return Latent(latent.frames * channel_gain({(channel_start, channel_end): scale}, 1), latent.mask)
