"""Prompts, encoded to what the DiT attends to."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from engine.request.conditioning import Conditioning
from engine.request.source import Source
from engine.surface.opened import Opened
from engine.text.embedding import TextEmbedding
from engine.text.format import format_lyrics, format_prompt, instruction


class Texts(Opened):
    """The part of a session that is about prompts."""

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
