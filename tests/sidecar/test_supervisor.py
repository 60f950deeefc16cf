"""The real sidecar process: one per run folder, replaced when it is killed, gone when nobody needs it."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from conftest import music
from peer import PATIENCE_S, MemoryFile, Peer
from rendering import Player, score
from visit import bounced, learned

from engine import Session
from sidecar.client import Client
from sidecar.runfile import RunFile, read_run_file


def until(answer: Callable[[], object]) -> object:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = answer()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it never came to hold")


@dataclass
class Sidecars:
    """Sidecars in a run folder of their own."""

    folder: Path
    started: list[subprocess.Popen] = field(default_factory=list)

    def start(self, *arguments: str) -> subprocess.Popen:
        environment = {
            **os.environ,
            "DEMON_RUN_DIR": str(self.folder),
            "DEMON_CONTENT_DIR": str(self.folder / "content"),
        }
        with (self.folder.parent / "log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sidecar", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.started.append(process)
        return process

    def run_file(self) -> RunFile | None:
        return read_run_file(self.folder)


@pytest.fixture
def sidecars(tmp_path: Path) -> Iterator[Sidecars]:
    made = Sidecars(tmp_path / "run")
    made.folder.mkdir()
    yield made
    run = made.run_file()
    for process in made.started:
        process.kill()
        process.wait()
    if run is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(run.pid, signal.SIGKILL)


def test_a_killed_worker_is_replaced_and_the_new_one_sounds_the_same(sidecars: Sidecars, session: Session) -> None:
    supervisor = sidecars.start()
    run = until(sidecars.run_file)
    assert stat.S_IMODE((sidecars.folder / "sidecar.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(sidecars.folder.stat().st_mode) == 0o700
    peer = Peer(run)
    assert peer.hello()["t"] == "welcome"
    file = MemoryFile()
    assert peer.timeline(file)["t"] == "applied"
    document, (text, flac) = learned(peer)
    heard = bounced(peer, 2)

    os.kill(run.pid, signal.SIGKILL)
    new = until(lambda: (found := sidecars.run_file()) and found.pid != run.pid and found)
    assert (new.port, new.token) != (run.port, run.token)
    again = Peer(new, peer.instance)
    assert again.hello()["t"] == "welcome"
    assert again.timeline(file)["t"] == "applied"
    assert again.state(text, {document["attachments"][0]: flac})["t"] == "applied"
    assert bounced(again, 3).tobytes() == heard.tobytes()
    again.close()
    peer.close()

    # the bytes of another process are this one's
    wet = Player(session, score(session)).play([music(2.0).shape[1]])
    assert heard.tobytes() == wet[:, : heard.shape[1]].tobytes()

    # one that ends again and again is given up
    while supervisor.poll() is None:
        run = sidecars.run_file()
        if run is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(run.pid, signal.SIGKILL)
        time.sleep(0.02)
    assert supervisor.returncode == 1
    assert not (sidecars.folder / "sidecar.json").exists()


def test_a_sidecar_that_is_asked_to_end_ends_with_its_worker(sidecars: Sidecars) -> None:
    supervisor = sidecars.start()
    run = until(sidecars.run_file)
    supervisor.terminate()
    assert supervisor.wait(PATIENCE_S) == 0
    assert not (sidecars.folder / "sidecar.json").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(run.pid, 0)


def test_a_second_sidecar_ends_at_once_and_an_unused_one_ends_by_itself(sidecars: Sidecars) -> None:
    first = sidecars.start("--spawned", "--grace", "2")
    until((sidecars.folder / "sidecar.lock").exists)
    assert sidecars.start("--spawned").wait(PATIENCE_S) == 0
    run = until(sidecars.run_file)
    with Client(run) as client:
        assert client.instances() == []
    assert first.wait(PATIENCE_S) == 0
    assert sidecars.run_file() is None


def test_a_worker_whose_supervisor_is_killed_serves_its_peers_to_the_end(sidecars: Sidecars) -> None:
    supervisor = sidecars.start()
    run = until(sidecars.run_file)
    peer = Peer(run)
    assert peer.hello()["t"] == "welcome"
    supervisor.kill()
    supervisor.wait()
    assert peer.timeline(MemoryFile())["t"] == "applied"
    assert sidecars.start("--spawned").wait(PATIENCE_S) == 0  # the lock is still held
    peer.send("bye")
    until(lambda: sidecars.run_file() is None)
    peer.close()


def test_a_checkpoint_that_is_not_there_is_named(sidecars: Sidecars) -> None:
    assert sidecars.start("--checkpoint", "/nowhere/at-all").wait(PATIENCE_S) == 1
    assert "/nowhere/at-all" in (sidecars.folder.parent / "log").read_text()
