"""A plugin of a CLAP file that stands: made, asked and told about parameters, saved and loaded."""

import ctypes
from collections.abc import Sequence
from ctypes import POINTER, byref, c_double
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from plugin_bridge import clap_abi as abi
from plugin_bridge.clap_block import Event, Events


class ClapError(Exception):
    """The plugin refused a call that a host may make. The text names the call."""


@dataclass(frozen=True)
class Parameter:
    """One parameter as the plugin lists it; values are plain. `flags` are CLAP's `CLAP_PARAM_*` bits."""

    id: int
    name: str
    minimum: float
    maximum: float
    default: float
    flags: int


class ClapPlugin:
    """One plugin of a CLAP file, on the host's main thread: its parameters and its state.

    `requests` collects what the plugin asked of the host, such as "state.mark_dirty".
    `said` collects the parameter values that the plugin sent, as (id, plain value).

    Args:
        path: the `.clap` file.
        plugin: the plugin's id; the file's first plugin by default.

    Raises:
        ClapError: no such plugin in the file, or it refused to start.
        OSError: the file is no shared object.
    """

    def __init__(self, path: str | Path, plugin: str | None = None) -> None:
        self.requests: list[str] = []
        self.said: list[tuple[int, float]] = []
        self._library = ctypes.CDLL(str(path))
        self._entry = abi.Entry.in_dll(self._library, "clap_entry")
        if not self._entry.init(str(path).encode()):
            raise ClapError(f"clap_entry.init refused {path}")
        self._host = abi.host(self.requests)
        self._pointer, self.id = self._create(plugin)
        self._plugin: Any = ctypes.cast(self._pointer, POINTER(abi.Plugin)).contents
        if not self._plugin.init(self._pointer):
            raise ClapError(f"plugin.init refused by {self.id}")

    @cached_property
    def _params(self) -> Any:
        return self._extension("clap.params", abi.Params)

    @cached_property
    def _state(self) -> Any:
        return self._extension("clap.state", abi.State)

    def _create(self, wanted: str | None) -> tuple[int, str]:
        factory_pointer = self._entry.get_factory(b"clap.plugin-factory")
        factory: Any = ctypes.cast(factory_pointer, POINTER(abi.Factory)).contents
        count = factory.count(factory_pointer)
        ids = [factory.descriptor(factory_pointer, index).contents.id.decode() for index in range(count)]
        chosen = wanted if wanted is not None else next(iter(ids), "")
        pointer = factory.create(factory_pointer, ctypes.addressof(self._host), chosen.encode())
        if not pointer:
            raise ClapError(f"no plugin {chosen!r} in the file, only {ids}")
        return pointer, chosen

    def _extension(self, name: str, layout: type[ctypes.Structure]) -> Any:
        pointer = self._plugin.get_extension(self._pointer, name.encode())
        if not pointer:
            raise ClapError(f"the plugin has no {name}")
        return ctypes.cast(pointer, POINTER(layout)).contents

    @property
    def parameters(self) -> list[Parameter]:
        """Every parameter, in the plugin's order."""
        found: list[Parameter] = []
        info = abi.ParamInfo()
        for index in range(self._params.count(self._pointer)):
            if not self._params.get_info(self._pointer, index, byref(info)):
                raise ClapError(f"params.get_info({index})")
            name: str = info.name.decode()
            found.append(Parameter(info.id, name, info.minimum, info.maximum, info.default, info.flags))
        return found

    def value(self, parameter: int) -> float:
        """The current plain value."""
        value = c_double()
        if not self._params.get_value(self._pointer, parameter, byref(value)):
            raise ClapError(f"params.get_value({parameter})")
        return value.value

    def text(self, parameter: int, value: float) -> str:
        """How the plugin writes a plain value."""
        buffer = ctypes.create_string_buffer(256)
        if not self._params.value_to_text(self._pointer, parameter, value, ctypes.addressof(buffer), len(buffer)):
            raise ClapError(f"params.value_to_text({parameter}, {value})")
        return buffer.value.decode()

    def parse(self, parameter: int, text: str) -> float:
        """The plain value that the plugin reads in `text`."""
        value = c_double()
        if not self._params.text_to_value(self._pointer, parameter, text.encode(), byref(value)):
            raise ClapError(f"params.text_to_value({parameter}, {text!r})")
        return value.value

    def flush(self, events: Sequence[Event] = ()) -> None:
        """Parameter changes outside `process`."""
        queue = Events(events)
        self._params.flush(self._pointer, byref(queue.input), byref(queue.output))
        self.said += queue.said

    def save(self, piece: int = 7, breaks_after: int | None = None) -> bytes:
        """The state; the stream takes at most `piece` bytes a call, as CLAP allows, and fails after `breaks_after`.

        Raises:
            ClapError: the plugin could not save.
        """
        data = bytearray()

        def write(_: object, pointer: int, size: int) -> int:
            if breaks_after is not None and len(data) >= breaks_after:
                return -1
            taken = min(size, piece)
            data.extend(ctypes.string_at(pointer, taken))
            return taken

        stream = abi.Stream(None, abi.STREAM_CALL(write))
        if not self._state.save(self._pointer, byref(stream)):
            raise ClapError("state.save")
        return bytes(data)

    def load(self, data: bytes, piece: int = 7, breaks_after: int | None = None) -> bool:
        """Load a state, given at most `piece` bytes a call; the stream fails after `breaks_after` bytes.

        False when the plugin refuses it.
        """
        left = memoryview(data)

        def read(_: object, pointer: int, size: int) -> int:
            nonlocal left
            if breaks_after is not None and len(data) - len(left) >= breaks_after:
                return -1
            given = bytes(left[: min(size, piece)])
            left = left[len(given) :]
            ctypes.memmove(pointer, given, len(given))
            return len(given)

        stream = abi.Stream(None, abi.STREAM_CALL(read))
        return bool(self._state.load(self._pointer, byref(stream)))

    def close(self) -> None:
        """Destroy the plugin, active or not. The object cannot be used afterwards; a second call does nothing."""
        if self._pointer:
            self._plugin.destroy(self._pointer)
            self._pointer = 0
            self._entry.deinit()
