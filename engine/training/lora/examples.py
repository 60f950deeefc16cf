"""Training examples: what a clip is to the DiT."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from engine.constants import FRAME_RATE, FRAME_SAMPLES, SAMPLE_RATE
from engine.errors import EngineError
from engine.request.conditioning import Conditioning
from engine.session import Session
from engine.training.lora.restyle import Clip

AUDIO: Final = (".wav", ".flac", ".ogg", ".mp3")


@dataclass(frozen=True, eq=False)
class Example:
    """One clip, encoded.

    Attributes:
        latent: [T, 64] float32, what the LoRA should make.
        hints: [T, 64] float32, the context that it is made from.
        cover: its prompt with a source.
        text2music: its prompt without one.
    """

    latent: NDArray[np.float32]
    hints: NDArray[np.float32]
    cover: Conditioning
    text2music: Conditioning


def encode(session: Session, clips: Iterable[Clip], trigger: str = "") -> Iterator[Example]:
    """Encode clips with the session's own codec and text encoder.

    Args:
        session: on the checkpoint that the LoRA is for.
        clips: of any length up to 600 s.
        trigger: word put before every second caption, so that the LoRA works with and without it.
    """
    for index, clip in enumerate(clips):
        frames = clip.plain.shape[1] // FRAME_SAMPLES // 2 * 2  # a DiT patch is two frames
        caption = f"{trigger}, {clip.caption}" if trigger and index % 2 else clip.caption
        prompts = (
            session.encode_text(caption, duration=frames / FRAME_RATE, task=task) for task in ("cover", "text2music")
        )
        restyled = session.prepare_source(clip.restyled, frames)
        yield Example(restyled.latent, session.prepare_source(clip.plain, frames).hints, *prompts)


def folder(path: Path, seconds: float) -> Iterator[Clip]:
    """The audio files of a folder, cut into pieces, each with the text file of the same stem as caption.

    Args:
        path: audio and `<stem>.txt` files. A piece is both the source and what should become of it.
        seconds: length of a piece; what is left at the end of a file is not used.

    Raises:
        EngineError: no usable file, a file without a caption, or one that cannot be read.
    """
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in AUDIO) if path.is_dir() else []
    if not files:
        raise EngineError(f"{path}: holds no audio.", f"Pass a folder with {', '.join(AUDIO)} files.")
    for file in files:
        caption = file.with_suffix(".txt")
        if not caption.is_file():
            raise EngineError(f"{file}: has no caption.", f"Write one into {caption.name} beside it.")
        wave = _audio(file)
        piece = round(seconds * FRAME_RATE) * FRAME_SAMPLES
        for start in range(0, wave.shape[1] - piece + 1, piece):
            cut = wave[:, start : start + piece]
            yield Clip(cut, cut, caption.read_text(encoding="utf-8").strip())


def _audio(file: Path) -> NDArray[np.float32]:
    try:
        samples, rate = cast(Any, soundfile).read(file, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise EngineError(f"{file}: cannot be read ({error}).", "Convert it to WAV, or remove it.") from error
    stereo = samples[:, :2] if samples.shape[1] > 1 else np.repeat(samples, 2, axis=1)
    return np.ascontiguousarray(cast(Any, soxr).resample(stereo, rate, SAMPLE_RATE).T, dtype=np.float32)
