"""A peer that speaks as much of PROTOCOL.md as a test wants, and misbehaves as it wants. Written from that document."""

import json
import mmap
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import zmq

TOKEN = "00112233445566778899aabbccddeeff"
RECORD = np.dtype(
    [
        ("kind", "<u2"),
        ("parameter", "<u2"),
        ("pass", "<u4"),
        ("song", "<i8"),
        ("value", "<f8"),
        ("aux", "<u4"),
        ("flags", "<u4"),
    ]
)
PASS, BLOCK, STOP = 1, 4, 6
CHUNK = 2048

Message = dict[str, Any]
Send = Callable[..., None]


class Timeline:
    """The plugin's shared file, mapped as PROTOCOL.md section 4 lays it out."""

    def __init__(self, pid: int, message: Message) -> None:
        descriptor = os.open(f"/proc/{pid}/fd/{message['fd']}", os.O_RDWR)
        self.map = mmap.mmap(descriptor, message["bytes"])
        os.close(descriptor)
        self.epoch = message["epoch"]
        self.slots = struct.unpack_from("<I", self.map, 0x28)[0]
        _, self.headers, self.data, _ = struct.unpack_from("<4Q", self.map, 0x30)
        (self.stride,) = struct.unpack_from("<Q", self.map, 0x58)

    def fill(self, slot: int, chunk: int, generation: int, pass_number: int, value: float, **header: int) -> None:
        """A slot full of `value`, with its header; keyword arguments falsify header fields."""
        words = {
            "chunk": chunk,
            "generation": generation,
            "pass": pass_number,
            "version": 1,
            "epoch": self.epoch,
            **header,
        }
        packed = struct.pack("<qIIQII", *words.values(), CHUNK)
        self.map[self.headers + 64 * slot : self.headers + 64 * slot + 32] = packed
        samples = np.full(2 * CHUNK, value, "<f4").tobytes()
        self.map[self.data + self.stride * slot : self.data + self.stride * slot + len(samples)] = samples


class FakeSidecar:
    """A ROUTER with a run file. `answer(fake, send, message, frames)` decides what a plugin hears back.

    `heard` is every message so far; `errors` what went wrong in the answering thread.
    """

    def __init__(self, run_dir: Path, answer: Callable[..., None], token: str = TOKEN, protocol: int = 2) -> None:
        self.answer = answer
        self.heard: list[Message] = []
        self.errors: list[str] = []
        self.timeline: Timeline | None = None
        self.pid = 0
        self.context = zmq.Context()
        self.router = self.context.socket(zmq.ROUTER)
        self.router.linger = 0
        port = self.router.bind_to_random_port("tcp://127.0.0.1")
        run = {"protocol": protocol, "pid": os.getpid(), "port": port, "token": token, "version": "0.1.0"}
        path = run_dir / "sidecar.json"
        path.write_text(json.dumps(run))
        path.chmod(0o600)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while not self.over.is_set():
            if not self.router.poll(20):
                continue
            peer, head, *frames = self.router.recv_multipart()
            try:
                message = msgpack.unpackb(head)
                self.heard.append(message)
                self._remember(message)
                self.answer(self, lambda *parts, to=peer: self._send(to, parts), message, frames)
            except Exception as error:  # noqa: BLE001 (whatever it is, the test shows it)
                self.errors.append(repr(error))

    def _remember(self, message: Message) -> None:
        if message["t"] == "hello":
            self.pid = message["pid"]
        if message["t"] == "timeline":
            self.timeline = Timeline(self.pid, message)

    def _send(self, peer: bytes, parts: tuple[Any, ...]) -> None:
        self.router.send_multipart([peer, *(p if isinstance(p, bytes) else msgpack.packb(p) for p in parts)])

    def count(self, name: str) -> int:
        return sum(message["t"] == name for message in self.heard)

    def close(self) -> None:
        self.over.set()
        self.thread.join(5)
        self.router.close()
        self.context.term()


def proper(fake: FakeSidecar, send: Send, message: Message, frames: list[bytes]) -> list[np.ndarray]:
    """The handshake as section 5 has it; returns the automation records of the message, if it has any."""
    name = message["t"]
    if name == "hello":
        send(
            {
                "t": "welcome",
                "id": message["id"],
                "protocol": 2,
                "version": "0.1.0",
                "pid": os.getpid(),
                "checkpoint": "fake",
                "heartbeat_ms": 250,
            }
        )
    elif name in ("timeline", "state"):
        send({"t": "accepted", "id": message["id"]})
        send({"t": "applied", "id": message["id"], "version": 1})
    elif name == "ping":
        send({"t": "pong", "time": message["time"]})
    elif name == "automation":
        return list(np.frombuffer(frames[0], RECORD))
    return []


def publish(
    fake: FakeSidecar, pass_number: int, chunks: list[tuple[int, int, int]], **more: int
) -> tuple[Message, bytes]:
    """A `publish` message: `chunks` are (chunk, slot, generation); keyword arguments falsify its keys."""
    records = b"".join(struct.pack("<qII", *c) for c in chunks)
    assert fake.timeline is not None
    keys = {"t": "publish", "epoch": fake.timeline.epoch, "pass": pass_number, "version": 1, "count": len(chunks)}
    return {**keys, **more}, records
