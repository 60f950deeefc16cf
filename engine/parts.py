"""What a session opens, and lets go of when it is closed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine import device as devices
from engine.backends import Backend
from engine.backends.choose import open_backend
from engine.codec.codec import Codec
from engine.errors import CheckpointError
from engine.lora.library import LoraLibrary
from engine.model import checkpoint as checkpoints
from engine.model.checkpoint import BUNDLED, CheckpointInfo
from engine.model.hub import Progress, download
from engine.model.models import load
from engine.text.prompt import TextEncoder

_SHIPPED_LORAS: Final = Path(__file__).parent / "loras"


@dataclass(frozen=True, eq=False)
class Parts:
    """One loaded checkpoint, by what its modules do."""

    backend: Backend
    codec: Codec
    text: TextEncoder
    loras: LoraLibrary


def open_parts(info: CheckpointInfo, threads: int, backend: str, report: Progress) -> Parts:
    """Load a checked checkpoint, with the LoRAs that ship beside it.

    Args:
        info: of the checkpoint.
        threads: torch threads it will be used with.
        backend: "eager", "compiled" or "auto".
        report: called with a line of text and a share 0 .. 1.

    Raises:
        CheckpointError: weights do not match the configuration beside them.
        EngineError: the DiT cannot be compiled here.
    """
    # one thread while loading: a pool that exists at a fork is dead in the child
    devices.set_threads(1)
    models = load(info)
    loras = LoraLibrary(models.transformer)
    if info.folder == checkpoints.bundled(info.name):
        loras.register(_SHIPPED_LORAS / info.name)
    runs = open_backend(backend, models, loras, threads, report)
    return Parts(runs, Codec(models, runs), TextEncoder(models), loras)


def locate(checkpoint: str | Path, progress: Progress | None) -> Path:
    """The folder of a checkpoint, downloaded if it has to be; names are as in `engine.Session.open`.

    Raises:
        CheckpointError: it is nowhere, or the download failed.
    """
    name = str(checkpoint)
    shipped = checkpoints.bundled(name)
    if shipped is not None:
        return shipped
    folder = Path(checkpoint)
    if isinstance(checkpoint, Path) or folder.is_dir():
        return folder
    if checkpoints.is_hub_id(name):
        return download(name, progress)
    raise CheckpointError(
        f"Checkpoint {name!r} is neither {BUNDLED!r}, nor a folder, nor a hub id.",
        f"Use {BUNDLED!r}, the path of a folder, or owner/name.",
    )


def no_progress(what: str, share: float) -> None:
    """A Progress that nobody watches."""
