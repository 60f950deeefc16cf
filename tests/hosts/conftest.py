"""Fixtures of the host tests: bundles built once, one world with one sidecar, fresh worlds on request."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bridge_rig import HERE, Bundles, Rig

HOSTS = {"minihost", "pedalboard", "dawdreamer", "ardour", "qtractor", "clap"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test by the host that its parameters name; a test of this folder without one is a mistake."""
    if not item.path.is_relative_to(HERE):
        return
    named = item.callspec.params.values() if hasattr(item, "callspec") else ()
    for host in HOSTS.intersection(value for value in named if isinstance(value, str)):
        item.add_marker(host)
    if not HOSTS.intersection(mark.name for mark in item.iter_markers()):
        raise pytest.UsageError(f"{item.nodeid}: mark it with the host that loads the plugin, one of {sorted(HOSTS)}")


@pytest.fixture(scope="session")
def rig(bundles: Bundles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """The world that most tests share, with one live sidecar."""
    world = Rig(tmp_path_factory.mktemp("world"), bundles)
    try:
        world.start_sidecar()
        yield world
    finally:
        world.stop()


@pytest.fixture
def fresh_rig(bundles: Bundles, tmp_path: Path) -> Iterator[Rig]:
    """A world of its own, in which no sidecar lives yet."""
    world = Rig(tmp_path / "world", bundles)
    try:
        yield world
    finally:
        world.stop()
