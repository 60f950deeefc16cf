"""Which backend a session runs on."""

from typing import Any, Final

from engine.backends import Backend
from engine.backends.compiled import CompiledBackend
from engine.backends.eager import EagerBackend
from engine.backends.packages import Packages
from engine.errors import RequestError
from engine.lora.library import LoraLibrary
from engine.model.hub import Progress
from engine.model.models import Models

BACKENDS: Final = ("eager", "compiled", "auto")


def check_backend(name: object) -> str:
    """The name of a backend.

    Raises:
        RequestError: not one of `BACKENDS`.
    """
    if not isinstance(name, str) or name not in BACKENDS:
        raise RequestError("backend", name, "is not known", f"Use one of {', '.join(BACKENDS)}.")
    return name


def open_backend(name: str, models: Models, loras: LoraLibrary, threads: int, report: Progress) -> Backend:
    """A backend over a checkpoint's modules.

    Args:
        name: "eager"; "compiled", built now if this machine has not done so; "auto", compiled if it is already built.
        models: the checkpoint's modules.
        loras: of the session.
        threads: torch threads that forwards will run on.
        report: told what happens.

    Raises:
        EngineError: a build is needed and fails (`engine.backends.packages`).
    """
    config: Any = models.transformer.config
    package = None
    if name == "compiled":
        package = Packages().obtain(config, threads, report)
    elif name == "auto":
        package = Packages().find(config, threads)
    return EagerBackend(models, loras) if package is None else CompiledBackend(models, loras, package)
