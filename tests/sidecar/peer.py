"""A plugin played by a test: a real DEALER socket and a real memory file, as PROTOCOL.md describes them.

Written from the document alone, without the sidecar's own classes, so that a sidecar that reads and writes its own
mistake is found out.
"""

import fcntl
import mmap
import os
import secrets
import struct
import time
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import zmq

CHUNK = 2048
PASS, POINT, RAMP, BLOCK, CAPTURE, STOP = 1, 2, 3, 4, 5, 6
CAPTURES, CAPTURE_SAMPLES, CAPTURE_STRIDE = 512, 1024, 8256
PATIENCE_S = 60.0  # for a machine that is busy with other things; no test asserts a time


class MemoryFile:
    """A timeline file with `slots` slots and as many table entries."""

    def __init__(
        self, rate: int = 48_000, slots: int = 400, epoch: int = 1, wrong: dict[str, int] | None = None
    ) -> None:
        table, headers = 4096, 4096 + -(-slots * 8 // 4096) * 4096
        data = headers + -(-slots * 64 // 4096) * 4096
        capture = data + slots * 2 * CHUNK * 4
        self.size = capture + -(-CAPTURES * CAPTURE_STRIDE // 4096) * 4096
        self.rate, self.slots, self.epoch, self.data, self.headers, self.capture = (
            rate,
            slots,
            epoch,
            data,
            headers,
            capture,
        )
        self.fd = os.memfd_create("timeline", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.fd, self.size)
        fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        self.map = mmap.mmap(self.fd, self.size)
        fields = {
            "magic": 0x31004E4C544E4D44,
            "version": 1,
            "header": 4096,
            "bytes": self.size,
            "rate": rate,
            "channels": 2,
            "chunk": CHUNK,
            "entries": slots,
            "slots": slots,
            "epoch": epoch,
            "table": table,
            "headers": headers,
            "data": data,
            "capture": capture,
            "records": CAPTURES,
            "samples": CAPTURE_SAMPLES,
            "slot_stride": 2 * CHUNK * 4,
            "capture_stride": CAPTURE_STRIDE,
        }
        fields.update(wrong or {})
        struct.pack_into("<QIIQIIIIIIQQQQIIQQ", self.map, 0, *fields.values())
        self.table = np.frombuffer(self.map, "<u8", slots, table)

    def slot(self, number: int) -> tuple[dict[str, int], np.ndarray]:
        """A slot's header and samples."""
        names = ("chunk", "generation", "pass", "version", "epoch", "valid")
        header = dict(zip(names, struct.unpack_from("<qIIQII", self.map, self.headers + 64 * number), strict=True))
        audio = np.frombuffer(self.map, "<f4", 2 * CHUNK, self.data + number * 2 * CHUNK * 4)
        return header, audio.reshape(2, CHUNK).copy()

    def put_capture(self, number: int, song: int, pass_: int, audio: np.ndarray) -> None:
        """Fill a capture record as the audio thread does: the number is cleared first and stored last."""
        at = self.capture + number % CAPTURES * CAPTURE_STRIDE
        struct.pack_into("<Q", self.map, at, 0)
        struct.pack_into("<qII", self.map, at + 8, song, audio.shape[1], pass_)
        for channel in range(2):
            place = at + 64 + channel * CAPTURE_SAMPLES * 4
            self.map[place : place + audio.shape[1] * 4] = audio[channel].astype("<f4").tobytes()
        struct.pack_into("<Q", self.map, at, number + 1)


class Peer:
    """A plugin instance on a socket."""

    def __init__(self, run: Any, instance: str | None = None) -> None:
        self.run = run
        self.instance = instance or secrets.token_hex(16)
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(f"tcp://127.0.0.1:{run.port}")
        self.seen: list[tuple[dict, list[bytes]]] = []
        self.chunks: dict[int, tuple[int, int, int]] = {}  # chunk: (pass, slot, generation)
        self.records = 0
        self.captures = 0
        self.command = 0
        self.spoke = time.monotonic()
        self.file: MemoryFile | None = None

    def close(self) -> None:
        self.socket.close()
        self.context.term()

    def send(self, t: str, *frames: bytes, **keys: Any) -> None:
        self.socket.send_multipart([msgpack.packb({"t": t, **keys}), *frames])
        self.spoke = time.monotonic()

    def raw(self, *frames: bytes) -> None:
        self.socket.send_multipart(list(frames))

    def next_id(self) -> int:
        self.command += 1
        return self.command

    def pump(self, wait_ms: int = 100) -> bool:
        """Take in what has arrived, waiting a moment for the first."""
        if time.monotonic() - self.spoke > 1.0:
            self.send("ping", time=0)
        got = False
        while self.socket.poll(0 if got else wait_ms):
            head, *frames = self.socket.recv_multipart()
            message = msgpack.unpackb(head)
            self.seen.append((message, frames))
            if message["t"] == "publish":
                for chunk, slot, generation in struct.iter_unpack("<qII", frames[0]):
                    self.chunks[chunk] = (message["pass"], slot, generation)
            got = True
        return got

    def wait(self, t: str, fits: Callable[[dict], bool] = lambda _: True) -> tuple[dict, list[bytes]]:
        """The first message of that name that fits; it is taken out of `seen`."""
        until = time.monotonic() + PATIENCE_S
        while True:
            for index, (message, _) in enumerate(self.seen):
                if message["t"] == t and fits(message):
                    return self.seen.pop(index)
            if time.monotonic() > until:
                raise AssertionError(f"no {t}; saw {[m for m, _ in self.seen][-8:]}")
            self.pump()

    def hello(self, **other: Any) -> dict:
        """Say hello; the answer to it."""
        keys = {
            "id": self.next_id(),
            "protocol": 2,
            "token": self.run.token,
            "role": "plugin",
            "instance": self.instance,
            "pid": os.getpid(),
            "version": "test",
            "host": "pytest",
        }
        self.send("hello", **{**keys, **other})
        return self.answer({"welcome", "failed"})

    def answer(self, names: set[str]) -> dict:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            for index, (message, _) in enumerate(self.seen):
                if message["t"] in names:
                    return self.seen.pop(index)[0]
            self.pump()
        raise AssertionError(f"no {names}; saw {[m for m, _ in self.seen][-8:]}")

    def timeline(self, file: MemoryFile, **other: Any) -> dict:
        """Name a timeline file; the final answer."""
        command = self.next_id()
        keys = {"id": command, "epoch": file.epoch, "fd": file.fd, "bytes": file.size, "rate": file.rate}
        self.send("timeline", **{**keys, **other})
        self.file = file
        return self.outcome(command)

    def state(self, document: bytes, attachments: dict[str, bytes] | None = None, instance: str | None = None) -> dict:
        """Send a document; the final answer."""
        command, carried = self.next_id(), attachments or {}
        self.send(
            "state",
            document,
            *carried.values(),
            id=command,
            instance=instance or self.instance,
            attachments=list(carried),
        )
        return self.outcome(command)

    def outcome(self, command: int) -> dict:
        while True:
            message = self.answer({"applied", "failed"})
            if message["id"] == command:
                return message

    def automation(self, rows: list[tuple[int, int, int, int, float, int, int]]) -> None:
        """Rows of (kind, parameter, pass, song, value, aux, flags)."""
        data = b"".join(struct.pack("<HHIqdII", *row) for row in rows)
        self.send("automation", data, first=self.records, count=len(rows))
        self.records += len(rows)

    def begin(self, number: int, song: int, values: dict[int, float], reason: int = 0, offline: bool = True) -> None:
        """PASS, and a POINT for every parameter."""
        rows = [(PASS, 0, number, song, 0.0, reason, int(offline))]
        rows += [(POINT, key, number, song, value, 0, 0) for key, value in values.items()]
        self.automation(rows)

    def block(self, number: int, song: int, frames: int, points: list[tuple] = [], offline: bool = True) -> None:  # noqa: B006
        """The points of a block, and the BLOCK."""
        rows = [(kind, key, number, where, value, 0, 0) for kind, key, where, value in points]
        self.automation([*rows, (BLOCK, 0, number, song, 0.0, frames, int(offline))])

    def capture(self, number: int, song: int, audio: np.ndarray, flags: int = 0) -> None:
        """Play a track into the capture ring, waiting for the sidecar as an offline shim does."""
        for at in range(0, audio.shape[1], CAPTURE_SAMPLES):
            part = audio[:, at : at + CAPTURE_SAMPLES]
            self.file.put_capture(self.captures, song + at, number, part)
            self.automation([(CAPTURE, 0, number, song + at, float(self.captures), part.shape[1], flags)])
            self.captures += 1
            if self.captures % 256 == 0 or at + CAPTURE_SAMPLES >= audio.shape[1]:
                wanted = self.captures
                self.wait("captured", lambda m, wanted=wanted: m["count"] >= wanted)

    def rendered(self, number: int, start: int, end: int) -> np.ndarray:
        """The audio of song samples [start, end), once every chunk of this pass is published."""
        chunks = range(start // CHUNK, (end - 1) // CHUNK + 1)
        until = time.monotonic() + PATIENCE_S
        while any(self.chunks.get(c, (0,))[0] != number for c in chunks):
            if time.monotonic() > until:
                raise AssertionError(f"chunks are missing; saw {[m for m, _ in self.seen][-5:]}")
            self.pump()
        parts = []
        for chunk in chunks:
            _, slot, generation = self.chunks[chunk]
            header, audio = self.file.slot(slot)
            assert (header["chunk"], header["pass"], header["generation"]) == (chunk, number, generation)
            parts.append(audio)
        first = chunks[0] * CHUNK
        return np.concatenate(parts, axis=1)[:, start - first : end - first]
