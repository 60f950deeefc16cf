"""Compiled packages: found by what they depend on, whole or not there, built by one process at a time."""

import multiprocessing
import time
from pathlib import Path

import pytest

from engine import EngineError, RequestError, Session
from engine.backends import packages
from engine.backends.packages import Packages

CONFIG = {"hidden_size": 64, "sliding_window": 8, "layer_types": ("sliding_attention",), "_name_or_path": "here"}


class Builds:
    """Writes a small file in place of compiling, and counts."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.count = 0
        self._seconds = seconds

    def __call__(self, config: object, package: Path, threads: int, report: object) -> None:
        self.count += 1
        time.sleep(self._seconds)
        package.write_bytes(f"machine code {threads}".encode())


def quiet(what: str, share: float) -> None:
    """Nobody watches."""


def test_a_package_is_built_once_and_then_found(tmp_path: Path):
    builds = Builds()
    made = Packages(tmp_path, builds)
    assert made.find(CONFIG, 1) is None
    path = made.obtain(CONFIG, 1, quiet)
    assert path.read_bytes() == b"machine code 1"
    assert made.obtain(CONFIG, 1, quiet) == made.find(CONFIG, 1) == path
    assert Packages(tmp_path, builds).obtain(CONFIG, 1, quiet) == path
    assert builds.count == 1


@pytest.mark.parametrize("damage", [b"", b"machine code", b"machine code 2"])
def test_a_damaged_package_is_built_anew_and_said_so(tmp_path: Path, damage: bytes):
    builds = Builds()
    made = Packages(tmp_path, builds)
    path = made.obtain(CONFIG, 1, quiet)
    path.write_bytes(damage)
    assert made.find(CONFIG, 1) is None
    told: list[str] = []
    assert made.obtain(CONFIG, 1, lambda what, share: told.append(what)).read_bytes() == b"machine code 1"
    assert builds.count == 2
    assert any(str(path) in line and "damaged" in line for line in told)


def test_a_build_that_ends_halfway_leaves_nothing_behind(tmp_path: Path):
    def ends(config: object, package: Path, threads: int, report: object) -> None:
        package.write_bytes(b"half of it")
        raise EngineError("The compiler ended.", "Try again.")

    with pytest.raises(EngineError, match="The compiler ended"):
        Packages(tmp_path, ends).obtain(CONFIG, 1, quiet)
    assert list(tmp_path.glob("**/*.pt2")) == []
    assert Packages(tmp_path, Builds()).obtain(CONFIG, 1, quiet).is_file()


def test_the_key_holds_what_decides_the_machine_code(monkeypatch: pytest.MonkeyPatch):
    plain = packages.key(CONFIG, 1)
    assert packages.key(CONFIG | {"_name_or_path": "there", "is_turbo": True}, 1) == plain
    others = [packages.key(CONFIG | {"sliding_window": 9}, 1), packages.key(CONFIG, 2)]
    with monkeypatch.context() as patch:
        patch.setattr(packages.torch, "__version__", "2.13.1")
        others.append(packages.key(CONFIG, 1))
    with monkeypatch.context() as patch:
        patch.setattr(packages, "_cpu", lambda: "another processor")
        others.append(packages.key(CONFIG, 1))
    with monkeypatch.context() as patch:
        patch.setattr(packages, "_SOURCES", ("dit/*.py",))
        others.append(packages.key(CONFIG, 1))
    assert len({plain, *others}) == 6


def _obtain(folder: Path, queue: "multiprocessing.Queue[tuple[int, str]]") -> None:
    builds = Builds(seconds=0.5)
    path = Packages(folder, builds).obtain(CONFIG, 1, quiet)
    queue.put((builds.count, path.name))


def test_two_processes_build_one_package(tmp_path: Path):
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    both = [fork.Process(target=_obtain, args=(tmp_path, queue)) for _ in range(2)]
    for process in both:
        process.start()
    made = [queue.get(timeout=60) for _ in both]
    for process in both:
        process.join(60)
    assert sorted(count for count, _ in made) == [0, 1]
    assert len({name for _, name in made}) == 1


def test_without_a_compiler_the_error_names_the_package_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(EngineError, match=r"apt-get install g\+\+.*backend=\"eager\""):
        Packages(tmp_path).obtain(CONFIG, 1, quiet)


def test_a_build_that_fails_says_why(tmp_path: Path):
    with pytest.raises(EngineError, match=r"Compiling the DiT failed: TypeError.*str.*backend=\"eager\""):
        Packages(tmp_path).obtain(CONFIG | {"head_dim": "wide"}, 1, quiet)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(EngineError, match="cannot be kept in"):
        Packages(blocked / "compiled", Builds()).obtain(CONFIG, 1, quiet)


def test_a_backend_that_does_not_exist_is_refused():
    with pytest.raises(RequestError, match="Use one of eager, compiled, auto"):
        Session.open(backend="fast")
