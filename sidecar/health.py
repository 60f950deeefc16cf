"""Health: how an instance stands, in words a user can act on."""

from typing import Final

from sidecar import protocol
from sidecar.publisher import Send
from sidecar.sources import LEARN

LATE_STEP: Final = 25
"""Frames between two reports of a pass that stays late: one a second is enough for a display."""


def no_source(mode: int) -> tuple[str, str, str]:
    """Code, text and fix of an instance that has nothing to re-generate."""
    if mode == LEARN:
        return "no_source", "Nothing learned yet.", "Play the track once; the output stays dry until then."
    return "no_file", "No file chosen.", "Choose one with `demon set --file`, or set Source Mode to Learn."


class Reporter:
    """Sends `health` when it changes. A failure stays until it is cleared.

    Args:
        send: sends the frames of a message to the plugin.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._last = protocol.Health(state="starting", code="", text="", fix="", late_frames=0)
        self._failed = False
        self._note = ("", "", "")

    @property
    def state(self) -> str:
        """The state last reported."""
        return self._last.state

    @property
    def text(self) -> str:
        """What the last report said, empty where all is well."""
        return self._last.text

    def clear(self) -> None:
        """What failed was put right, or is tried again."""
        self._failed = False

    def note(self, code: str = "", text: str = "", fix: str = "") -> None:
        """What is worth knowing though something is rendered; nothing, without arguments."""
        self._note = (code, text, fix)

    def ready(self) -> None:
        """There is something to render."""
        code, text, fix = self._note
        self._tell(protocol.Health(state="ready", code=code, text=text, fix=fix, late_frames=0))

    def dry(self, code: str, text: str, fix: str) -> None:
        """There is nothing to render from."""
        self._tell(protocol.Health(state="dry", code=code, text=text, fix=fix, late_frames=0))

    def late(self, late: bool, frames: int) -> None:
        """A running pass keeps pace, or does not."""
        if not late:
            self.ready()
        elif self._last.state != "late" or frames >= self._last.late_frames + LATE_STEP:
            self._tell(
                protocol.Health(
                    state="late",
                    code="late",
                    text="This machine does not keep pace.",
                    fix="Choose a longer Tick, or Automatic and play (`demon set --tick auto`); or a shorter source.",
                    late_frames=frames,
                )
            )

    def fail(self, code: str, text: str, fix: str) -> None:
        """Nothing is rendered until this is put right."""
        self._failed = False
        self._tell(protocol.Health(state="failed", code=code, text=text, fix=fix, late_frames=0))
        self._failed = True

    def _tell(self, health: protocol.Health) -> None:
        if not self._failed and health != self._last:
            self._last = health
            self._send(protocol.encode(health))
