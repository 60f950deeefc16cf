import platform
import sys

import pytest

import engine
from engine.bench.tick import tick_over_forward
from engine.device import tune_allocator


@pytest.mark.skipif(
    sys.platform != "linux" or platform.libc_ver()[0] != "glibc", reason="the settings are those of glibc"
)
def test_glibc_accepts_the_allocator_settings():
    assert tune_allocator()


def test_the_bench_reports_pairs_of_ticks_and_forwards(session: engine.Session):
    made = tick_over_forward(session, frames=30, depth=3, ticks=4)
    assert (made.frames, made.depth, made.pairs) == (30, 3, 4)
    for low, middle, high in (made.forward_ms, made.tick_ms, made.ratio):
        assert 0.0 < low <= middle <= high
    assert made.ratio_of_fastest > 0.0


def test_the_bench_refuses_to_measure_nothing(session: engine.Session):
    with pytest.raises(engine.EngineError, match="at least one"):
        tick_over_forward(session, ticks=0)
