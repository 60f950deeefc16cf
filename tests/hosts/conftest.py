"""Fixtures of the host tests: bundles built once, one world with one sidecar, fresh worlds on request."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bridge_rig import Bundles, Rig

from plugin_bridge.build import build


@pytest.fixture(scope="session")
def bundles() -> Bundles:
    """Both bundles, compiled from the sources as they are now."""
    built = build()
    return Bundles(built.vst3, built.clap)


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
