"""Fixtures of the contract tests: a world without a sidecar, into which a test puts the peer it wants."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hosts"))

from bridge_rig import Bundles, Rig

from plugin_bridge.build import build


@pytest.fixture(scope="session")
def bundles() -> Bundles:
    """Both bundles, compiled from the sources as they are now."""
    built = build()
    return Bundles(built.vst3, built.clap)


@pytest.fixture
def world(bundles: Bundles, tmp_path: Path) -> Iterator[Rig]:
    """A world whose launch file starts nothing that answers, so that only the test's own peer is heard."""
    rig = Rig(tmp_path / "world", bundles)
    rig.write_launch_file(["/bin/true"])
    try:
        yield rig
    finally:
        rig.stop()
