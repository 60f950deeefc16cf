"""What the engine raises. Every error says what is wrong and what to do next."""

from reprlib import repr as short_repr


class EngineError(Exception):
    """Base of all engine errors.

    Attributes:
        code: short machine-readable name, stable across releases.
        text: what is wrong, one sentence.
        fix: what to do next, one sentence.
    """

    code: str = "engine"

    def __init__(self, text: str, fix: str, *, code: str | None = None) -> None:
        super().__init__(f"{text} {fix}")
        self.text = text
        self.fix = fix
        if code is not None:
            self.code = code


class CheckpointError(EngineError):
    """A checkpoint is missing, incomplete, damaged or of the wrong kind."""

    code = "missing_checkpoint"


class LoraError(EngineError):
    """A LoRA file cannot be used, or no longer. Nothing was changed."""

    code = "bad_lora"


class RequestError(EngineError, ValueError):
    """A value given to the engine is outside what it accepts. Nothing was changed.

    Attributes:
        field: name of the offending field or argument.
        value: the value as given (for arrays a short description).
    """

    code = "bad_request"

    def __init__(self, field: str, value: object, problem: str, fix: str) -> None:
        super().__init__(f"{field} = {short_repr(value)}: {problem}.", fix)
        self.field = field
        self.value = value
