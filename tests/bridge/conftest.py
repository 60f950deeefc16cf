"""Fixtures of the contract tests: a world without a sidecar, into which a test puts the peer it wants."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bridge_rig import Bundles, Rig


@pytest.fixture
def world(bundles: Bundles, tmp_path: Path) -> Iterator[Rig]:
    """A world whose launch file starts nothing that answers, so that only the test's own peer is heard."""
    rig = Rig(tmp_path / "world", bundles)
    rig.write_launch_file(["/bin/true"])
    try:
        yield rig
    finally:
        rig.stop()
