"""What holds for every test: repeatable property tests, and no sight of this user's settings."""

import os
from pathlib import Path

import hypothesis
import pytest
from bridge_rig import Bundles
from trap_build import Trap, build_trap

from plugin_bridge.build import build

# pytest writes whole diffs where CI is set, and the diff of two bounces takes longer than the test's time limit.
IN_CI = bool(os.environ.pop("CI", ""))

# In CI a failure has to be the same failure tomorrow, and a slow shared core is not a finding.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.load_profile("ci" if IN_CI else "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs a CUDA device where there is none, and say so."""
    marked = [item for item in items if item.get_closest_marker("gpu")]
    if not marked:
        return
    import torch

    if not torch.cuda.is_available():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device; torch sees none"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of this clone."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def bundles() -> Bundles:
    """Both bundles, compiled from the sources as they are now."""
    built = build()
    return Bundles(built.vst3, built.clap)


@pytest.fixture(scope="session")
def trap(bundles: Bundles, tmp_path_factory: pytest.TempPathFactory) -> Trap:
    """The same sources with the audio thread's hooks."""
    return build_trap(tmp_path_factory.mktemp("trap"))
