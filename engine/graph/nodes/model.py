"""The model, and what acts on it."""

from typing import Annotated, ClassVar, NamedTuple

from engine.constants import LATENT_CHANNELS
from engine.graph.declare import Family, param, port
from engine.graph.values import Clip, Model, Vae
from engine.request.channels import channel_gain

family = Family("model")

NO_LORA = "(none)"

FirstChannel = Annotated[int, param(0, "First channel.", low=0, high=LATENT_CHANNELS - 1)]
LastChannel = Annotated[int, param(63, "Last channel, included.", low=0, high=LATENT_CHANNELS - 1)]
ChannelFactor = Annotated[float, param(1.0, "Factor; 1 changes nothing.", low=0.0, high=4.0)]


class Loaded(NamedTuple):
    """A checkpoint's three parts."""

    model: Model
    clip: Clip
    vae: Vae


@family.stateful("LoadModel")
class LoadModel:
    """Open a checkpoint: its DiT, its text encoder, its audio codec."""

    live: ClassVar[bool] = False

    def __init__(self) -> None:
        self._opened: Model | None = None

    def execute(
        self,
        model: Annotated[Model | None, port("An open session, used in place of a checkpoint.", external=True)],
        checkpoint: Annotated[str, param("demon-tiny-1", "Bundled name, folder or hub id.", local=True)],
        device: Annotated[str, param("cpu", "Where it runs.", local=True)],
        threads: Annotated[int, param(1, "Torch threads.", low=1, high=256, local=True)],
        loras: Annotated[str, param("", "Folder of LoRAs that LoRA nodes may name.", local=True)],
    ) -> Loaded:
        """Open a session, or take the one that was bound."""
        self.close()
        if model is None:
            from engine.session import Session

            model = self._opened = Model(Session.open(checkpoint, device=device, threads=threads))
        if loras:
            model.session.loras.register(loras)
        return Loaded(model, Clip(model.session), Vae(model.session))

    def close(self) -> None:
        """Close the session that was opened here."""
        if self._opened is not None:
            self._opened.session.close()
            self._opened = None


@family.node("ChannelGuidance")
def channel_guidance(
    model: Annotated[Model, port("What is guided; it stays as it is.")],
    channel_start: FirstChannel,
    channel_end: LastChannel,
    scale: ChannelFactor,
) -> Model:
    """Scale latent channels in what the DiT reads. Gains that meet in a channel multiply."""
    gain = channel_gain({(channel_start, channel_end): scale}, 1)[0]
    if model.channel_gain is not None:
        gain *= model.channel_gain
    return Model(model.session, gain, model.loras)


@family.node("RemoveChannelGuidance")
def remove_channel_guidance(model: Annotated[Model, port("What was guided; it stays as it is.")]) -> Model:
    """Take every channel gain off again."""
    return Model(model.session, None, model.loras)


@family.node("LoRA")
def lora(
    model: Annotated[Model, port("What it acts on; it stays as it is.")],
    lora: Annotated[str, param(NO_LORA, "Name in the session's library.")],
    strength: Annotated[float, param(1.0, "How strongly.", low=0.0, high=2.0)],
) -> Model:
    """Let a LoRA act. Several add up; the same one again has its last strength."""
    if lora == NO_LORA:
        return model
    return Model(model.session, model.channel_gain, {**model.loras, lora: strength})
