"""The session's LoRAs: a catalogue by name, which of them are enabled, and how strongly they act.

A LoRA is *registered* (checked and named; its factors are not in memory), *loaded* (its factors are) or *enabled* (it
acts in every generation that names no LoRAs of its own). `disable` stops it, `remove` also lets go of its factors,
`forget` also takes it off the list. Nothing ever writes a weight, so what was enabled leaves no trace.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, cast

from torch import Tensor, nn

from engine.backends import NO_LORAS, Loras
from engine.checks import number, text
from engine.dit.linear import LowRank
from engine.errors import LoraError, RequestError
from engine.lora import file as lora_file
from engine.lora import metadata as lora_metadata
from engine.lora.file import LoraFile
from engine.lora.metadata import LoraMetadata
from engine.lora.sites import Acting, Sites

MAX_STRENGTH: Final = 10.0  # five times the highest that a control offers; far beyond it forwards overflow
MAX_ACTING: Final = 8  # at once; each adds its rank to two matrix products in every layer it touches
MAX_FILES: Final = 4_096  # of one folder
_FOLDER_NAMED: Final = ("adapter_model", "pytorch_lora_weights")  # what PEFT and diffusers call every file

State = Literal["registered", "loaded", "enabled"]


@dataclass(frozen=True, kw_only=True)
class LoraInfo:
    """One entry of the catalogue. Holds no path, so it may be shown to any client.

    Attributes:
        name: by which it is addressed: its file's stem, or its folder's where tools give every file the same stem.
        hash: "sha256:" and 64 hex digits; equal for LoRAs that act equally (`engine.lora.file.LoraFile.hash`).
        state: "registered", "loaded" or "enabled".
        strength: what it acts with, or would act with if it were enabled.
        matched: layers of the DiT that it touches.
        skipped: layers that its file names and this DiT does not have.
        rank: its largest rank.
        metadata: what its author says about it, with its trigger words.
    """

    name: str
    hash: str
    state: State
    strength: float
    matched: int
    skipped: int
    rank: int
    metadata: LoraMetadata


@dataclass(eq=False)
class _Entry:
    path: Path
    info: LoraInfo
    content: LoraFile | None = None


class LoraLibrary:
    """The LoRAs of one session. One thread at a time.

    Attributes:
        removals: how often factors were let go; who keeps any lets go of them when this changes.
    """

    def __init__(self, transformer: nn.Module) -> None:
        """An empty catalogue for the linear layers of a DiT. Their weights are read, never written."""
        self._sites = Sites(transformer)
        self._entries: dict[str, _Entry] = {}
        self._enabled: Loras = NO_LORAS
        self.removals = 0

    def register(
        self, path: str | Path, *, name: str | None = None, on_refused: Callable[[LoraError], None] | None = None
    ) -> tuple[LoraInfo, ...]:
        """Add a file, or every safetensors file in a folder and its subfolders, to the catalogue.

        Registering the same content under the same name again changes nothing.

        Args:
            path: of a file or folder.
            name: for a single file, in place of its stem.
            on_refused: called with the error of each file of a folder that cannot be used; the others are registered.
                Without it the first such error is raised and nothing is registered.

        Returns:
            The entries, new or known, sorted by path.

        Raises:
            LoraError: not there, not usable (`engine.lora.file.read`), or its name is taken by another LoRA.
        """
        root = Path(path)
        found = _files(root) if root.is_dir() else [root]
        if name is not None and root.is_dir():
            raise RequestError("name", name, "is for a single file", "Leave it out for a folder.")
        entries: dict[str, _Entry] = {}
        for file in found:
            try:
                entry = self._read(file, text("name", name) if name is not None else _name(file), entries)
                entries[entry.info.name] = entry
            except LoraError as error:
                if on_refused is None or file == root:
                    raise
                on_refused(error)
        self._entries.update({key: entry for key, entry in entries.items() if key not in self._entries})
        return tuple(self._entries[key].info for key in entries)

    def enable(self, name: str, strength: float | None = None) -> None:
        """Let a LoRA act from the next step on, in every generation that names none of its own.

        Args:
            name: of the catalogue.
            strength: -10 .. 10, for an enabled one too; None keeps the one it has: at first the recommended one, or 1.

        Raises:
            RequestError: no such name, not a finite number in range, or a ninth one.
            LoraError: the file is gone or has changed. The LoRA stays as it was.
        """
        entry = self._entry(name)
        wanted = entry.info.strength if strength is None else _strength("strength", strength)
        enabled = self._limited({**self._enabled, name: wanted})
        self._load(entry)
        entry.info = replace(entry.info, state="enabled", strength=wanted)
        self._enabled = enabled

    def set_strength(self, name: str, strength: float) -> None:
        """Change how strongly an enabled LoRA acts, from the next step on. -10 .. 10; 0 is exactly without it.

        Raises:
            RequestError: no such name, not enabled, or not a finite number in range.
        """
        if self._entry(name).info.state != "enabled":
            raise RequestError("name", name, "is not enabled", "Enable it first.")
        self.enable(name, strength)

    def disable(self, name: str) -> None:
        """Stop a LoRA from acting. Its strength is remembered and its factors stay in memory.

        Raises:
            RequestError: no such name.
        """
        entry = self._entry(name)
        if entry.info.state == "enabled":
            entry.info = replace(entry.info, state="loaded")
            self._enabled = MappingProxyType({key: value for key, value in self._enabled.items() if key != name})

    def remove(self, name: str) -> None:
        """Stop a LoRA from acting and let go of its factors. It stays in the catalogue.

        Raises:
            RequestError: no such name.
        """
        self.disable(name)
        entry = self._entry(name)
        entry.content = None
        entry.info = replace(entry.info, state="registered")
        self._sites.drop_stacks()
        self.removals += 1

    def forget(self, name: str) -> None:
        """Remove a LoRA and take it off the catalogue. Its file is not touched.

        Raises:
            RequestError: no such name.
        """
        self.remove(name)
        del self._entries[name]

    def list(self) -> tuple[LoraInfo, ...]:
        """The catalogue, sorted by name."""
        return tuple(self._entries[name].info for name in sorted(self._entries))

    def active(self) -> Loras:
        """Strength of every enabled LoRA by name. Immutable; the same object until something changes."""
        return self._enabled

    def checked(self, loras: object) -> Loras:
        """LoRAs that a request names, checked, loaded and frozen. Called at submit, so that no tick waits for a disk.

        Raises:
            RequestError: no such name, a strength out of range, or more than eight.
            LoraError: a file is gone or has changed.
        """
        if not isinstance(loras, Mapping):
            raise RequestError("loras", loras, "is not a mapping", "Pass {name: strength}.")
        given = cast("Mapping[object, object]", loras)
        strengths = {name: _strength(f"loras.{name}", value) for name, value in given.items()}
        entries = {entry.info.name: entry for entry in map(self._entry, strengths)}
        wanted = self._limited({name: strengths[name] for name in entries})
        for entry in entries.values():
            self._load(entry)
        return wanted

    def identity(self, loras: Loras) -> tuple[tuple[str, float], ...]:
        """(hash, strength) of every LoRA of these that acts: equal values, equal factors. Empty where none does.

        Raises:
            RequestError: as `checked`.
        """
        return tuple((self._entry(name).info.hash, strength) for name, strength in sorted(loras.items()) if strength)

    def factors(self, loras: Loras) -> dict[str, LowRank]:
        """What LoRAs add to the layers that they touch, such as "layers.0.cross_attn.to_k".

        A change of strength alone makes new `gains` and shares the rest.

        Raises:
            RequestError, LoraError: as `checked`.
        """
        return self._sites.factors(self._terms(self.checked(loras)))

    def merged(self, loras: Loras, into: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Weights with LoRAs added, for a backend that compiled the layers: "<layer>.weight" -> [out, in] float32.

        Computed from the checkpoint's own weights each time; layers that no LoRA touches are not in it.

        Args:
            loras: strength by name.
            into: of the same LoRAs with other strengths: its tensors are written to and returned.

        Raises:
            RequestError, LoraError: as `checked`.
        """
        return self._sites.merged(self._terms(self.checked(loras)), into)

    def _terms(self, loras: Loras) -> Acting:
        return [(self._load(self._entry(name)), strength) for name, strength in loras.items() if strength]

    def _read(self, path: Path, name: str, fresh: Mapping[str, _Entry]) -> _Entry:
        content = lora_file.read(path, self._sites.shapes)
        known = self._entries.get(name) or fresh.get(name)
        if known is not None and known.info.hash != content.hash:
            raise LoraError(
                f"{path}: the name {name!r} belongs to another LoRA, {known.path}.",
                "Rename the file, or register it with a name of its own.",
            )
        if known is not None:
            return known
        said = lora_metadata.read(path)
        recommended = said.recommended_strength
        strength = 1.0 if recommended is None or abs(recommended) > MAX_STRENGTH else recommended
        info = LoraInfo(
            name=name,
            hash=content.hash,
            state="registered",
            strength=strength,
            matched=len(content.layers),
            skipped=content.skipped,
            rank=content.rank,
            metadata=said,
        )
        return _Entry(path.absolute(), info)

    def _load(self, entry: _Entry) -> LoraFile:
        if entry.content is None:
            content = lora_file.read(entry.path, self._sites.shapes)
            if content.hash != entry.info.hash:
                raise LoraError(
                    f"{entry.path}: has changed since it was registered.", "Forget it and register it again."
                )
            entry.content = content
            entry.info = replace(entry.info, state="loaded")
        return entry.content

    def _entry(self, name: object) -> _Entry:
        entry = self._entries.get(text("lora", name))
        if entry is None:
            known = ", ".join(sorted(self._entries)) or "none"
            raise RequestError("lora", name, "is not registered", f"Register its file. Registered: {known}.")
        return entry

    @staticmethod
    def _limited(loras: Loras) -> Loras:
        if len(loras) > MAX_ACTING:
            raise RequestError(
                "loras", sorted(loras), f"are more than {MAX_ACTING}", "Disable one, or merge some into one file."
            )
        # sorted: the order of a sum decides its bits, and may not depend on who was enabled first
        return MappingProxyType({name: loras[name] for name in sorted(loras)})


def _strength(field: str, value: object) -> float:
    strength = number(field, value, f"Pass a strength from {-MAX_STRENGTH:g} to {MAX_STRENGTH:g}.")
    if abs(strength) > MAX_STRENGTH:
        raise RequestError(field, strength, "is out of range", f"Keep it from {-MAX_STRENGTH:g} to {MAX_STRENGTH:g}.")
    return strength


def _name(file: Path) -> str:
    return file.absolute().parent.name if file.stem in _FOLDER_NAMED else file.stem


def _files(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*.safetensors") if path.is_file())
    if len(files) > MAX_FILES:
        raise LoraError(
            f"{folder}: {len(files)} files are more than {MAX_FILES}.", "Register its subfolders one by one."
        )
    return files
