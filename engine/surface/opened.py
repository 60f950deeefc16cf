"""A checkpoint while it is open: its weights, its backend, its LoRAs."""

from pathlib import Path
from typing import Self

from engine import device as devices
from engine.backends import Backend
from engine.backends.choose import check_backend
from engine.closing import Closing
from engine.errors import EngineError, RequestError
from engine.lora.library import LoraLibrary
from engine.model import checkpoint as checkpoints
from engine.model.checkpoint import BUNDLED, CheckpointInfo
from engine.model.hub import Progress
from engine.parts import Parts, locate, no_progress, open_parts


class Opened(Closing):
    """What every part of a session stands on. Open a `Session`, not this."""

    def __init__(self, info: CheckpointInfo, threads: int, backend: str, report: Progress) -> None:
        """Use `Session.open`."""
        self.checkpoint = info
        self._threads = threads
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

    @property
    def _open(self) -> Parts:
        if self._parts is None:
            raise EngineError("The session is closed.", "Open a new one with Session.open.", code="closed")
        devices.set_threads(self._threads)  # at first use, not at opening: setting more than one starts a thread
        return self._parts
