"""Streaming ACE-Step v1.5 diffusion: prompts, sources and per-frame curves in, latents and audio out.

Names load on first use, so `import engine` costs nothing and pulls in no tensor library.

    with engine.Session.open() as session:
        prompt = session.encode_text("techno, driving kick", duration=10.0)
        latent = session.generate(engine.Request(conditioning=prompt, frames=250, seed=1))
        audio = session.decode_all(latent)  # [2, N] float32 at 48 kHz
"""

from importlib import import_module
from typing import TYPE_CHECKING

from engine.constants import FRAME_RATE, FRAME_SAMPLES, LATENT_CHANNELS, SAMPLE_RATE
from engine.errors import CheckpointError, EngineError, LoraError, RequestError

if TYPE_CHECKING:
    from engine.analysis.info import AudioInfo, audio_info
    from engine.codec.encoding import Encoding
    from engine.lora.library import LoraInfo, LoraLibrary
    from engine.lora.metadata import LoraMetadata
    from engine.model.checkpoint import CheckpointInfo
    from engine.request.channels import channel_gain
    from engine.request.condition import Condition, combine_conditionings
    from engine.request.conditioning import Conditioning, average_conditionings, blend_conditionings
    from engine.request.curves import Curve
    from engine.request.dcw import Dcw
    from engine.request.latents import blend_latents
    from engine.request.request import Request
    from engine.request.source import Source
    from engine.session import Session, preload
    from engine.song.frozen import FrozenSong, FrozenWindow
    from engine.song.generate import generate_song
    from engine.song.stream import FinishedRegion, SongStream
    from engine.stream.changes import Change
    from engine.stream.finished import Finished
    from engine.stream.handle import StreamHandle
    from engine.stream.self_check import SelfCheck
    from engine.stream.stats import StreamStats
    from engine.stream.stream import Stream
    from engine.stream.warmup import WarmedPart

__version__ = "0.1.0"

_HOMES = {
    "AudioInfo": "engine.analysis.info",
    "audio_info": "engine.analysis.info",
    "Change": "engine.stream.changes",
    "CheckpointInfo": "engine.model.checkpoint",
    "Condition": "engine.request.condition",
    "Conditioning": "engine.request.conditioning",
    "Curve": "engine.request.curves",
    "Dcw": "engine.request.dcw",
    "Encoding": "engine.codec.encoding",
    "Finished": "engine.stream.finished",
    "FinishedRegion": "engine.song.stream",
    "FrozenSong": "engine.song.frozen",
    "FrozenWindow": "engine.song.frozen",
    "LoraInfo": "engine.lora.library",
    "LoraLibrary": "engine.lora.library",
    "LoraMetadata": "engine.lora.metadata",
    "Request": "engine.request.request",
    "SelfCheck": "engine.stream.self_check",
    "Session": "engine.session",
    "SongStream": "engine.song.stream",
    "Source": "engine.request.source",
    "Stream": "engine.stream.stream",
    "StreamHandle": "engine.stream.handle",
    "StreamStats": "engine.stream.stats",
    "WarmedPart": "engine.stream.warmup",
    "average_conditionings": "engine.request.conditioning",
    "blend_conditionings": "engine.request.conditioning",
    "blend_latents": "engine.request.latents",
    "channel_gain": "engine.request.channels",
    "combine_conditionings": "engine.request.condition",
    "generate_song": "engine.song.generate",
    "preload": "engine.session",
}

__all__ = [
    "FRAME_RATE",
    "FRAME_SAMPLES",
    "LATENT_CHANNELS",
    "SAMPLE_RATE",
    "AudioInfo",
    "Change",
    "CheckpointError",
    "CheckpointInfo",
    "Condition",
    "Conditioning",
    "Curve",
    "Dcw",
    "Encoding",
    "EngineError",
    "Finished",
    "FinishedRegion",
    "FrozenSong",
    "FrozenWindow",
    "LoraError",
    "LoraInfo",
    "LoraLibrary",
    "LoraMetadata",
    "Request",
    "RequestError",
    "SelfCheck",
    "Session",
    "SongStream",
    "Source",
    "Stream",
    "StreamHandle",
    "StreamStats",
    "WarmedPart",
    "__version__",
    "audio_info",
    "average_conditionings",
    "blend_conditionings",
    "blend_latents",
    "channel_gain",
    "combine_conditionings",
    "generate_song",
    "preload",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
