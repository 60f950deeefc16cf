"""What the sidecar raises. Every error carries a code of the protocol, what is wrong, and what to do next.

SidecarError
├── MessageError       bad_message         a frame that is over a bound or does not decode
├── TokenError         bad_token           a peer that did not read the run file
├── VersionError       bad_protocol        a peer that speaks another protocol
├── TimelineError      bad_timeline        a shared file that is not what PROTOCOL section 4 says
├── StateError         bad_state           a document, preset or blob that is not valid
├── InstanceError      no_instance         a command for an instance that is not there
├── BusyError          busy                a second peer for an instance, or a sidecar that is already running
├── ContentError       missing_content     source audio that is neither embedded nor in the content store
├── AudioError         bad_audio           audio that a person handed over is not audio, or is over a bound
├── LoraMissingError   missing_lora        a LoRA that a document names and nobody has
└── AutomationError    bad_automation      an automation file of `demon bounce` that is not valid
"""


class SidecarError(Exception):
    """Base of all sidecar errors.

    Attributes:
        code: short machine-readable name, stable across releases (PROTOCOL section 2).
        text: what is wrong, one sentence, with field and value where there is one.
        fix: what to do next, one sentence.
    """

    code: str = "engine"

    def __init__(self, text: str, fix: str) -> None:
        super().__init__(f"{text} {fix}")
        self.text = text
        self.fix = fix


class MessageError(SidecarError):
    """A message is over a bound or does not decode. Nothing was changed."""

    code = "bad_message"


class TokenError(SidecarError):
    """A peer's token is not the one in the run file."""

    code = "bad_token"


class VersionError(SidecarError):
    """A peer speaks another version of the protocol."""

    code = "bad_protocol"


class TimelineError(SidecarError):
    """A shared timeline file cannot be used."""

    code = "bad_timeline"


class StateError(SidecarError):
    """A state document, preset or blob is not valid. The state in force is kept."""

    code = "bad_state"


class InstanceError(SidecarError):
    """A command names an instance that is not connected."""

    code = "no_instance"


class BusyError(SidecarError):
    """Somebody else already holds what was asked for."""

    code = "busy"


class ContentError(SidecarError):
    """Source audio is missing or damaged. The document that names it is kept."""

    code = "missing_content"


class AudioError(SidecarError):
    """Audio that a person handed over cannot be used."""

    code = "bad_audio"


class LoraMissingError(SidecarError):
    """A LoRA that a document names is not there. The document is kept.

    Attributes:
        name: the LoRA's.
    """

    code = "missing_lora"

    def __init__(self, name: str, fix: str) -> None:
        super().__init__(f"LoRA {name!r} is not there.", fix)
        self.name = name


class AutomationError(SidecarError):
    """An automation file is not valid."""

    code = "bad_automation"
