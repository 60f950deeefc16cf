"""What the sidecar's tests share: one engine session, a clip, and a service in this process."""

import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from peer import MemoryFile, Peer

from engine import Session
from sidecar.content import ContentStore
from sidecar.engine_loop import EngineLoop
from sidecar.service import Service

RATE = 48_000
SHORT_CLOCK = {"tick_frames": 2, "depth": 1, "steps": 3, "lead_frames": 10}


def music(seconds: float, rate: int = RATE) -> NDArray[np.float32]:
    """Two decaying tones, [2, n]."""
    t = np.arange(round(seconds * rate)) / rate
    beat = np.exp(-6 * (t % 0.5))
    left, right = 0.4 * np.sin(2 * np.pi * 220 * t) * beat, 0.3 * np.sin(2 * np.pi * 330 * t)
    return np.stack([left, right]).astype(np.float32)


@pytest.fixture(scope="session")
def session() -> Iterator[Session]:
    with Session.open() as opened:
        yield opened


@pytest.fixture(autouse=True)
def loras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's user has LoRAs: nowhere yet."""
    folder = tmp_path / "loras"
    monkeypatch.setenv("DEMON_LORA_DIR", str(folder))
    return folder


@dataclass
class Running:
    """How to reach the service of this process, as a run file would say it."""

    port: int
    token: str
    service: Service
    store: ContentStore


@pytest.fixture
def run(session: Session, tmp_path: Path) -> Iterator[Running]:
    """A real service on a real socket, with the engine thread of a worker."""
    store = ContentStore(tmp_path / "content")
    loop = EngineLoop(session, store)
    loop.start()
    token = secrets.token_hex(16)
    service = Service(loop, checkpoint=session.checkpoint.id, token=token)
    thread = threading.Thread(target=service.run)
    thread.start()
    yield Running(service.port, token, service, store)
    service.stop()
    thread.join()
    loop.stop()
    service.close()


@pytest.fixture
def connect(run: Running) -> Iterator[Callable[..., Peer]]:
    """Makes peers of the service; `ready` ones have said hello and named a timeline."""
    peers: list[Peer] = []

    def make(*, ready: bool = True, rate: int = RATE) -> Peer:
        peer = Peer(run)
        peers.append(peer)
        if ready:
            assert peer.hello()["t"] == "welcome"
            assert peer.timeline(MemoryFile(rate))["t"] == "applied"
        return peer

    yield make
    for peer in peers:
        peer.close()
