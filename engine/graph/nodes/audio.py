"""Audio to latents and back."""

from typing import Annotated, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from engine.analysis.info import AudioInfo, audio_info
from engine.constants import FRAME_RATE, FRAME_SAMPLES
from engine.graph.declare import Family, param, port
from engine.graph.values import NO_OUTPUT, Audio, Latent, NoOutput, Vae

family = Family("audio")

_SONG: Final = 600.0  # seconds, the longest latent


@family.node("AudioInput", own=True)
def audio_input(audio: Annotated[Audio, port("Bound when the graph runs.", external=True)]) -> Audio:
    """Audio that whoever runs the graph gives to it, by the id of this node."""
    return audio


@family.node("AudioOutput", own=True)
def audio_output(audio: Annotated[Audio, port("What the graph is run for.")]) -> Audio:
    """Audio that whoever runs the graph takes from it, by the id of this node."""
    return audio


@family.node("AudioInfo")
def listen(audio: Annotated[Audio, port("What is listened to.")]) -> AudioInfo:
    """Estimate tempo and key of audio."""
    return audio_info(audio.samples)


@family.node("VAEEncodeAudio")
def vae_encode_audio(
    vae: Annotated[Vae, port("Which codec.")], audio: Annotated[Audio, port("What is encoded.")]
) -> Latent:
    """Encode audio; the posterior's mean, so that the same audio is the same latent."""
    return Latent(vae.session.prepare_source(audio.samples).latent)


@family.node("VAEDecodeAudio")
def vae_decode_audio(
    vae: Annotated[Vae, port("Which codec.")], latent: Annotated[Latent, port("What is decoded.")]
) -> Audio:
    """Decode a whole latent."""
    return Audio(vae.session.decode_all(latent.frames))


@family.stateful("StreamVAEDecode")
class StreamVaeDecode:
    """Decode a window of the newest latent; no output while neither the window nor the latent has changed."""

    live: ClassVar[bool] = True

    def __init__(self) -> None:
        self._start = 0
        self._latent: NDArray[np.float32] | None = None

    def execute(
        self,
        vae: Annotated[Vae, port("Which codec.")],
        latent: Annotated[Latent, port("What is decoded, until the next one arrives.", keeps=True)],
        vae_window: Annotated[float, param(0.36, "Seconds of the window; 0 is all.", low=0.0, high=_SONG)],
        t_start: Annotated[float, param(0.0, "Second at which it starts.", low=0.0, high=_SONG)],
        follow_playhead: Annotated[bool, param(False, "Start at the playhead instead.")],
        mse_skip_threshold: Annotated[
            float, param(1e-3, "Mean squared change of the latent that counts as none.", low=0.0, high=1e3)
        ],
        prefetch_seconds: Annotated[
            float, param(1.0, "How long before the end of a window the next one is due.", low=0.0, high=_SONG)
        ],
        cyclic: Annotated[bool, param(False, "The latent is a loop: windows may cross its end.")],
        playhead_seconds: Annotated[float, param(0.0, "Set while playing.", low=0.0, high=1e6, hidden=True)],
    ) -> Audio | NoOutput:
        """Decode, unless what was decoded last still holds."""
        total = latent.frames.shape[0]
        kept = min(round(vae_window * FRAME_RATE), total) or total
        # the nearest frame: seconds are rarely exact in binary, and truncating them would land a frame early
        wanted = round((playhead_seconds if follow_playhead else t_start) * FRAME_RATE)
        start = wanted % total if cyclic else min(wanted, total - kept)
        reach = round((vae_window - prefetch_seconds) * FRAME_RATE) if follow_playhead else 0
        if self._unchanged(latent.frames, mse_skip_threshold) and abs(start - self._start) < max(reach, 1):
            return NO_OUTPUT
        self._start, self._latent = start, latent.frames
        audio = vae.session.decode(latent.frames, start, kept, cyclic)
        return Audio(audio, start * FRAME_SAMPLES)

    def close(self) -> None:
        """Forget the latent."""
        self._latent = None

    def _unchanged(self, latent: NDArray[np.float32], threshold: float) -> bool:
        last = self._latent
        if last is None or last.shape != latent.shape:
            return False
        return last is latent or float(np.mean((latent - last) ** 2, dtype=np.float64)) <= threshold
