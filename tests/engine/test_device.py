import platform
import sys

import pytest

from engine.device import tune_allocator


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="the settings are those of glibc"
)
def test_glibc_accepts_the_allocator_settings():
    assert tune_allocator()
