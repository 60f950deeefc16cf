"""The shared timeline file: checking, mapping, writing slots, reading captures (PROTOCOL section 4).

The plugin creates the file and decides what is visible; this side only writes slots that nobody reads, and says so over
the socket afterwards. A file that could shrink under us is refused: touching a vanished page would end the sidecar, and
with it the sound of every other instance.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidecar.errors import TimelineError
from sidecar.frames import CHUNK

MAGIC: Final = 0x31004E4C544E4D44
LAYOUT_VERSION: Final = 1
HEADER_BYTES: Final = 4_096
CAPTURE_RECORDS: Final = 512
CAPTURE_SAMPLES: Final = 1_024
MAX_BYTES: Final = 8 * 1024**3  # 240 s at 192 kHz are 0.4 GiB; far above that a size is a mistake
MIN_RATE: Final = 16_000
MAX_RATE: Final = 384_000
SLOT_MASK: Final = 2**20 - 1

HEADER: Final = np.dtype(
    [
        ("magic", "<u8"),
        ("version", "<u4"),
        ("header_bytes", "<u4"),
        ("bytes", "<u8"),
        ("rate", "<u4"),
        ("channels", "<u4"),
        ("chunk", "<u4"),
        ("entries", "<u4"),
        ("slots", "<u4"),
        ("epoch", "<u4"),
        ("table_offset", "<u8"),
        ("slot_header_offset", "<u8"),
        ("slot_offset", "<u8"),
        ("capture_offset", "<u8"),
        ("capture_records", "<u4"),
        ("capture_samples", "<u4"),
        ("slot_stride", "<u8"),
        ("capture_stride", "<u8"),
    ]
)
SLOT_HEADER: Final = np.dtype(
    [
        ("chunk", "<i8"),
        ("generation", "<u4"),
        ("pass", "<u4"),
        ("version", "<u8"),
        ("epoch", "<u4"),
        ("valid", "<u4"),
        ("zero", "V32"),
    ]
)
CAPTURE: Final = np.dtype(
    [
        ("number", "<u8"),
        ("song", "<i8"),
        ("samples", "<u4"),
        ("pass", "<u4"),
        ("zero", "V40"),
        ("audio", "<f4", (2, CAPTURE_SAMPLES)),
    ]
)
SLOT_STRIDE: Final = 2 * CHUNK * 4

_FIXED: Final = {
    "magic": MAGIC,
    "version": LAYOUT_VERSION,
    "header_bytes": HEADER_BYTES,
    "channels": 2,
    "chunk": CHUNK,
    "capture_records": CAPTURE_RECORDS,
    "capture_samples": CAPTURE_SAMPLES,
    "slot_stride": SLOT_STRIDE,
    "capture_stride": CAPTURE.itemsize,
}
_FIX: Final = "Update DEMON on both sides; the plugin and the sidecar must be of one version."

Audio = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Capture:
    """One capture record: [2, n] float32 of the track from song sample `song` on."""

    song: int
    pass_: int
    audio: Audio


class Timeline:
    """A mapped timeline file. `Timeline.open` maps one."""

    def __init__(self, memory: mmap.mmap, epoch: int, rate: int) -> None:
        """Use `Timeline.open`.

        Raises:
            TimelineError: the header is not what PROTOCOL section 4 says, or does not match the `timeline` message.
        """
        self._memory = memory
        header: Any = np.frombuffer(memory, HEADER, 1)[0]
        _check_header(header, len(memory), epoch, rate)
        self.epoch = epoch
        self.rate = rate
        self.slots = int(header["slots"])
        self._table: NDArray[np.uint64] = _view(memory, header, "table_offset", np.dtype("<u8"), int(header["entries"]))
        self._slot_headers: Any = _view(memory, header, "slot_header_offset", SLOT_HEADER, self.slots)
        audio = _view(memory, header, "slot_offset", np.dtype("<f4"), self.slots * 2 * CHUNK)
        self._slots: Audio = audio.reshape(self.slots, 2, CHUNK)
        self._captures: Any = _view(memory, header, "capture_offset", CAPTURE, CAPTURE_RECORDS)

    @classmethod
    def open(cls, pid: int, fd: int, size: int, epoch: int, rate: int) -> Timeline:
        """Map the file that a plugin named.

        Args:
            pid, fd: the plugin's process, and the file's descriptor there.
            size: bytes, as the plugin says.
            epoch, rate: what the header must repeat.

        Raises:
            TimelineError: it cannot be opened, or is not a sealed memory file of this user with such a header.
        """
        try:
            descriptor = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise TimelineError(
                f"fd {fd} of process {pid} cannot be opened: {error.strerror}.",
                "Run the host and the sidecar as one user, in one process namespace.",
            ) from error
        try:
            _check_file(descriptor, size)
            return cls(mmap.mmap(descriptor, size), epoch, rate)
        except OSError as error:
            raise TimelineError(f"The timeline cannot be mapped: {error.strerror}.", "Free memory.") from error
        finally:
            os.close(descriptor)

    def unnamed_slots(self) -> list[int]:
        """The slots that no table entry names: what this side may write at the start.

        After a sidecar was replaced, the slots that the plugin still plays from are not among them.
        """
        named = set((self._table & np.uint64(SLOT_MASK)).tolist())
        return [slot for slot in range(self.slots) if slot + 1 not in named]

    def write(
        self, slot: int, chunk: int, audio: Audio, *, generation: int, pass_: int, version: int, valid: int
    ) -> None:
        """Write a slot that this side owns: its samples, then its header.

        Args:
            audio: [2, 2048] float32.
            valid: samples before which the chunk has audio.
        """
        self._slots[slot] = audio
        self._slot_headers[slot] = (chunk, generation, pass_, version, self.epoch, valid, b"")

    def capture(self, number: int) -> Capture | None:
        """Copy capture record `number`; None if it was overwritten before the copy was complete."""
        record = self._captures[number % CAPTURE_RECORDS]
        before, samples = int(record["number"]), int(record["samples"])
        if before != number + 1 or samples > CAPTURE_SAMPLES:
            return None
        copy = Capture(int(record["song"]), int(record["pass"]), record["audio"][:, :samples].copy())
        return copy if int(record["number"]) == before else None


class SlotPool:
    """The slots that this side owns.

    Args:
        slots: how many the file has.
        owned: which of them are owned at the start.
    """

    def __init__(self, slots: int, owned: Iterable[int]) -> None:
        self._slots = slots
        self._owned = dict.fromkeys(owned)

    def __len__(self) -> int:
        return len(self._owned)

    def add(self, slots: Iterable[int]) -> None:
        """Own slots again; a number that the file does not have, or that is owned already, is ignored."""
        self._owned.update(dict.fromkeys(slot for slot in slots if slot < self._slots))

    def take(self) -> int:
        """Give up the slot that was owned for longest, and return its number; there must be one."""
        slot = next(iter(self._owned))
        del self._owned[slot]
        return slot


def _check_file(descriptor: int, size: int) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink != 0:
        raise TimelineError("The timeline is not an unnamed memory file of this user.", _FIX)
    if found.st_size != size or not HEADER_BYTES <= size <= MAX_BYTES:
        raise TimelineError(f"The timeline has {found.st_size} bytes, the message says {size}.", _FIX)
    try:
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    except OSError:
        seals = 0
    if not seals & fcntl.F_SEAL_SHRINK:
        raise TimelineError("The timeline is not sealed against shrinking.", _FIX)


def _check_header(header: Any, size: int, epoch: int, rate: int) -> None:
    if not MIN_RATE <= rate <= MAX_RATE:
        raise TimelineError(f"rate is {rate}.", f"Use a sample rate from {MIN_RATE} to {MAX_RATE}.")
    wanted = {**_FIXED, "bytes": size, "epoch": epoch, "rate": rate}
    for field, value in wanted.items():
        if int(header[field]) != value:
            raise TimelineError(f"The timeline's {field} is {int(header[field])} instead of {value}.", _FIX)
    slots, entries = int(header["slots"]), int(header["entries"])
    if not 1 <= slots < SLOT_MASK or entries < 1:
        raise TimelineError(f"The timeline has {slots} slots and {entries} entries.", _FIX)
    areas = sorted(
        [
            (int(header["table_offset"]), entries * 8, 8),
            (int(header["slot_header_offset"]), slots * SLOT_HEADER.itemsize, SLOT_HEADER.itemsize),
            (int(header["slot_offset"]), slots * SLOT_STRIDE, HEADER_BYTES),
            (int(header["capture_offset"]), CAPTURE_RECORDS * CAPTURE.itemsize, 8),
        ]
    )
    end = HEADER_BYTES
    for offset, length, alignment in areas:
        if offset < end or offset % alignment or offset + length > size:
            raise TimelineError(f"An area of the timeline at {offset} does not fit.", _FIX)
        end = offset + length


def _view(memory: mmap.mmap, header: Any, field: str, dtype: np.dtype[Any], count: int) -> Any:
    return np.frombuffer(memory, dtype, count, int(header[field]))
