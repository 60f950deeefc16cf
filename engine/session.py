"""The session: one loaded checkpoint, and everything that can be done with it."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine import device as devices
from engine.analysis.info import AudioInfo, audio_info
from engine.backends import Backend
from engine.backends.choose import check_backend
from engine.codec.encoding import Encoding
from engine.constants import FRAME_RATE, SOURCE_GRID
from engine.errors import EngineError, RequestError
from engine.lora.library import LoraLibrary
from engine.model import checkpoint as checkpoints
from engine.model.checkpoint import BUNDLED, CheckpointInfo
from engine.model.hub import Progress
from engine.parts import Parts, locate, no_progress, open_parts
from engine.request.conditioning import Conditioning
from engine.request.curves import Curve
from engine.request.latents import blend_latents
from engine.request.repaint import repainted
from engine.request.request import Request, even_frames
from engine.request.snapshot import check
from engine.request.source import Source
from engine.stream.changes import Change
from engine.stream.handle import StreamHandle
from engine.stream.self_check import SelfCheck, self_check
from engine.stream.stream import UNCHECKED, Stream
from engine.stream.warmup import WarmedPart, timed
from engine.text.embedding import TextEmbedding
from engine.text.format import format_lyrics, format_prompt, instruction


def preload() -> None:
    """Import every heavy module a session needs, so that opening one later is quick. Starts no threads.

    Importing this module is what loads torch, diffusers and transformers; the classes behind their lazy names follow.
    """
    import_module("transformers.models.qwen3.modeling_qwen3")
    import_module("diffusers.models.transformers.ace_step_transformer")


class Session:
    """A loaded checkpoint. Open it with `Session.open`, close it with `close` or as a context manager.

    A session that was opened but has run nothing yet may be carried into a forked child and used there: opening starts
    no worker threads. One thread at a time may use a session and its streams.
    """

    def __init__(self, info: CheckpointInfo, threads: int, backend: str, report: Progress) -> None:
        """Use `Session.open`."""
        self.checkpoint = info
        self._threads = threads
        self._claim = UNCHECKED
        self._parts: Parts | None = open_parts(info, threads, backend, report)

    @classmethod
    def open(
        cls,
        checkpoint: str | Path = BUNDLED,
        *,
        device: str = "cpu",
        threads: int = 1,
        backend: str = "eager",
        progress: Progress | None = None,
    ) -> Self:
        """Load a checkpoint.

        Also tunes the process's allocator where that is possible (`engine.device.tune_allocator`).

        Args:
            checkpoint: "demon-tiny-1" (ships with the package), a local folder in the diffusers layout, or a hub id
                "owner/name" or "owner/name@revision", downloaded on first use.
            device: "cpu".
            threads: torch threads, for the whole process, set when the session is first used.
            backend: "eager"; "compiled", faster, for which the DiT is compiled once per machine, in a minute or two,
                with g++; or "auto", compiled if that has been done. Results of both differ by about 1e-5.
            progress: called with a line of text and a share 0 .. 1.

        Raises:
            CheckpointError: not found, incomplete, damaged or of another kind; names the file and the command to run.
            RequestError: device, threads or backend.
            EngineError: the DiT cannot be compiled here.
        """
        report = progress or no_progress
        devices.resolve(device)
        devices.check_threads(threads)
        check_backend(backend)
        folder = locate(checkpoint, progress)
        name = str(checkpoint) if folder != Path(checkpoint) else folder.resolve().name
        report(f"Checking {name}", 0.0)
        info = checkpoints.inspect(folder, name)
        devices.tune_allocator()
        report(f"Loading {name}", 0.0)
        session = cls(info, threads, backend, report)
        report(f"Loading {name}", 1.0)
        return session

    def close(self) -> None:
        """Let go of the weights. Safe to call twice; streams of this session stop working."""
        self._parts = None

    @property
    def backend(self) -> Backend:
        """What runs the networks.

        Raises:
            EngineError: the session is closed.
        """
        return self._open.backend

    @property
    def loras(self) -> LoraLibrary:
        """The LoRAs of this session: register, enable, change strengths, disable. See `engine.lora.library`.

        Raises:
            EngineError: the session is closed.
        """
        return self._open.loras

    def apply_lora(self, path: str | Path, strength: float | None = None) -> str:
        """Register a LoRA file and enable it.

        Args:
            path: of a safetensors file.
            strength: -10 .. 10; None takes the one that its metadata recommends, else 1.

        Returns:
            Its name in `loras`.

        Raises:
            LoraError: the file cannot be used.
            RequestError: path is a folder, or the strength is not a finite number in range.
        """
        file = Path(path)
        if file.is_dir():
            raise RequestError("path", str(path), "is a folder", "Pass one file, or use loras.register.")
        (info,) = self.loras.register(file)
        self.loras.enable(info.name, strength)
        return info.name

    def remove_loras(self) -> None:
        """Let no LoRA act any more. All of them stay registered; `loras.forget` takes one off the list."""
        for name in self.loras.active():
            self.loras.remove(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def encode_text(
        self,
        prompt: str,
        *,
        duration: float,
        lyrics: str = "",
        task: str = "cover",
        track: str | None = None,
        tracks: Sequence[str] = (),
        bpm: int | None = None,
        key: str | None = None,
        time_signature: str | None = None,
        language: str = "en",
        timbre: Source | ArrayLike | None = None,
        timbre_strength: float = 1.0,
    ) -> Conditioning:
        """Encode a prompt: `embed_text`, then `condition_text`, with their arguments.

        Raises:
            RequestError: a field is of the wrong type, out of range, not one of its values or too long.
        """
        embedding = self.embed_text(
            prompt,
            duration=duration,
            lyrics=lyrics,
            task=task,
            track=track,
            tracks=tracks,
            bpm=bpm,
            key=key,
            time_signature=time_signature,
            language=language,
        )
        return self.condition_text(embedding, timbre=timbre, timbre_strength=timbre_strength)

    def embed_text(
        self,
        prompt: str,
        *,
        duration: float,
        lyrics: str = "",
        task: str = "cover",
        track: str | None = None,
        tracks: Sequence[str] = (),
        bpm: int | None = None,
        key: str | None = None,
        time_signature: str | None = None,
        language: str = "en",
    ) -> TextEmbedding:
        """Embed a prompt in the format ACE-Step v1.5 was trained on.

        Args:
            prompt: caption, up to 256 tokens with its metadata.
            duration: length of the piece in seconds, above 0 and up to 600; the model sees whole seconds, rounded down.
            lyrics: up to 2048 tokens.
            task: "cover" with a source, "text2music" without; also "repaint", "extract", "lego", "complete".
            track: what to "extract", or what "lego" adds: one of `engine.text.format.TRACKS`, or None.
            tracks: what to "complete" the source with: any of the same names.
            bpm: tempo, 30 .. 300, or None if unknown.
            key: such as "C major" or "F# minor", or None.
            time_signature: beats per bar as text, "2", "3", "4" or "6", or None.
            language: code of the lyrics' language, one of `engine.text.format.LANGUAGES`.

        Raises:
            RequestError: a field is of the wrong type, out of range, not one of its values or too long.
        """
        asked = format_prompt(
            prompt,
            instruction(task, track, tracks),
            bpm=bpm,
            key=key,
            time_signature=time_signature,
            duration=duration,
        )
        return self._open.text.embed(asked, format_lyrics(lyrics, language))

    def condition_text(
        self, embedding: TextEmbedding, *, timbre: Source | ArrayLike | None = None, timbre_strength: float = 1.0
    ) -> Conditioning:
        """Join an embedded prompt and a timbre to what the DiT attends to.

        Args:
            embedding: of this session.
            timbre: whose sound to take, a source or a latent [T, 64]; 30 s of it are heard: its beginning, its middle
                and its end, repeated where it is shorter. None: silence, which is no reference.
            timbre_strength: 0 .. 1, between silence (0) and the reference (1), both exact.

        Raises:
            RequestError: timbre or timbre_strength.
        """
        return self._open.text.condition(embedding, timbre, timbre_strength)

    def null_conditioning(self, conditioning: Conditioning) -> Conditioning:
        """The model's learned "no prompt", as long as the conditioning given: the usual `Request.negative`."""
        return self._open.text.null(conditioning)

    def prepare_source(self, audio: ArrayLike, frames: int | None = None) -> Source:
        """Encode source audio. Deterministic: the posterior's mean, not a sample.

        Args:
            audio: [2, N] float32 at 48 kHz, N >= 1.
            frames: T, even, 30 .. 15000. None: enough for all of it, a multiple of 10, at least 30. Missing audio is
                silence, audio beyond T frames of 1920 samples is not used.

        Raises:
            RequestError: wrong shape, not finite, or a length that cannot be used.
        """
        return self._open.codec.encode(audio, frames)

    def begin_source(self, audio: ArrayLike, frames: int | None = None) -> Encoding:
        """As `prepare_source`, 4 s of audio at a time: `Encoding.advance` until it returns the source, the same bytes.

        Raises:
            RequestError: as `prepare_source`.
        """
        return self._open.codec.begin(audio, frames)

    def extract_hints(self, latent: ArrayLike) -> NDArray[np.float32]:
        """A latent [T, 64] through the 5 Hz audio tokens and back: what `Source.hints` and `Request.hints` hold.

        Args:
            latent: T is 1 .. 15000; a broken last token of 5 frames is filled up with silence.

        Returns:
            [T, 64] float32.

        Raises:
            RequestError: wrong shape, too long or not finite.
        """
        return self._open.codec.hints(latent)

    @staticmethod
    def audio_info(audio: ArrayLike) -> AudioInfo:
        """Estimate tempo and key of audio [2, N] at 48 kHz; see `engine.audio_info`."""
        return audio_info(audio)

    @staticmethod
    def blend_latents(a: ArrayLike, b: ArrayLike, alpha: Curve = 0.5) -> NDArray[np.float32]:
        """Mix two latents per frame; see `engine.blend_latents`."""
        return blend_latents(a, b, alpha)

    def empty_latent(self, frames: int) -> NDArray[np.float32]:
        """The checkpoint's encoded silence [T, 64] float32."""
        return self._open.codec.silence(frames)

    def open_stream(self, frames: int, depth: int = 2) -> Stream:
        """Open a stream of generations of T = frames (even, 30 .. 15000) with 1 .. 8 of them in flight.

        Raises:
            RequestError: frames or depth.
        """
        wanted = even_frames(frames)
        width = self.checkpoint.conditioning_width
        return Stream(self.backend, self.empty_latent(wanted), depth, width, self.loras, lambda: self.claim)

    def warm_up(self, frames: int = 250) -> tuple[WarmedPart, ...]:
        """Do ahead what a first generation of T = frames would wait for, such as compiling.

        Returns:
            What was done, with the seconds that each part took.

        Raises:
            RequestError: frames.
        """
        with self.open_stream(frames, 1) as stream:
            parts = stream.warm_up()
        silence = self.empty_latent(frames)
        return (
            timed("prompt", lambda: self.encode_text("techno", duration=frames / FRAME_RATE)),
            *parts,
            timed("decode", lambda: self.decode(silence, 0, SOURCE_GRID)),
        )

    def self_check(self, frames: int = 60) -> SelfCheck:
        """Prove or disprove, with this model, machine, backend and thread count, that streaming changes no bit.

        Streams unlike requests of T = frames side by side and compares each with the same request alone: about seventy
        forwards. What it found is what `claim` and the stats of every stream say from then on.

        Raises:
            RequestError: frames.
        """
        captions = ("techno, driving kick", "ambient pad chords, slow, warm, long tails")
        prompts = [self.encode_text(caption, duration=frames / FRAME_RATE) for caption in captions]
        found = self_check(lambda depth: self.open_stream(frames, depth), prompts, frames)
        self._claim = found.claim
        return found

    @property
    def claim(self) -> str:
        """How far a streamed latent equals the one-shot one here, as the latest self-check found."""
        return self._claim

    def stream(self, request: Request, depth: int = 4) -> StreamHandle:
        """Keep generating one request, which may be changed between ticks.

        Nothing runs before the first tick.

        Args:
            request: what the first tick submits; its `frames` are the stream's.
            depth: generations in flight, 1 .. 8.

        Raises:
            RequestError: a field of the request, or depth.
        """
        check(request, self.checkpoint.conditioning_width)
        return StreamHandle(self.open_stream(request.frames, depth), request, self.decode)

    def generate(self, request: Request, changes: Sequence[Change] | None = None) -> NDArray[np.float32]:
        """Run one request to its end: the latent [T, 64] float32, read-only.

        Bit for bit what a stream returns for the same request, whatever its depth and neighbours.

        Args:
            request: what to generate.
            changes: those of a Finished: brings back what came out of a stream whose shared curves or LoRAs were
                changed meanwhile. The session's LoRAs then act only as far as they are in it.

        Raises:
            RequestError: a field or a change is wrong.
            EngineError: the generation failed.
        """
        with self.open_stream(request.frames, depth=1) as stream:
            stream.submit(request, changes)
            (done,) = stream.flush()
        if done.latent is None:
            raise done.error or EngineError("The generation returned nothing.", "Submit it again.")
        return done.latent

    def repaint(self, request: Request, start: int, end: int, *, preserve: bool = True) -> Request:
        """The request, changed so that frames [start, end) of its source are painted anew.

        As in ACE-Step's repaint task, whose prompt it wants (`encode_text(..., task="repaint")`): the context is the
        source itself, with silence inside the span, and the chunk mask tells the DiT which is which.

        Args:
            request: with a source.
            start, end: frames, 0 <= start < end <= T.
            preserve: also mask the latent, so that the frames outside the span come back as the source, bit for bit.
                False leaves them to the DiT, as ACE-Step does.

        Raises:
            RequestError: no source, or a span outside it.
        """
        check(request, self.checkpoint.conditioning_width)
        return repainted(request, self.empty_latent(request.frames), start, end, preserve)

    def decode(self, latent: ArrayLike, start: int, frames: int, cyclic: bool = False) -> NDArray[np.float32]:
        """Decode frames [start, start + frames) of a latent [T, 64]: audio [2, frames * 1920] float32 at 48 kHz.

        The canonical window decode: nine more frames on each side, which is mathematically exact, in a span of one
        length that near the ends is moved inside the latent. Spans of equal length agree bit for bit where they
        overlap; with another length they agree to about 1e-6.

        Args:
            latent: [T, 64].
            start: first frame, 0 .. T - 1.
            frames: 1 .. T.
            cyclic: the latent is a loop: frame T is frame 0 again, for the window as for what is decoded around it.

        Raises:
            RequestError: wrong shape, not finite, or a window that is not inside the latent.
        """
        return self._open.codec.decode(latent, start, frames, cyclic)

    def decode_all(self, latent: ArrayLike) -> NDArray[np.float32]:
        """Decode a whole latent [T, 64] in tiles of one size: audio [2, T * 1920] float32 at 48 kHz.

        Raises:
            RequestError: wrong shape or not finite.
        """
        return self._open.codec.decode_all(latent)

    @property
    def _open(self) -> Parts:
        if self._parts is None:
            raise EngineError("The session is closed.", "Open a new one with Session.open.", code="closed")
        devices.set_threads(self._threads)  # at first use, not at opening: setting more than one starts a thread
        return self._parts
