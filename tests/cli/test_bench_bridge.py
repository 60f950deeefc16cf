"""The parts of `demon bench bridge`: what counts as wet, where a lane is heard, what a share is, what it prints."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from test_command_line import demon

from plugin_bridge.build import build_empty
from plugin_bridge.clap_host import ClapHost
from sidecar.cli import bridge
from sidecar.cli.bridge import Bridge, Cost, Crowd, Memory, Roll
from sidecar.cli.measure import BLOCK, RATE

DRY = np.random.default_rng(2).uniform(-1, 1, (2, 8 * BLOCK)).astype(np.float32)


def test_a_block_is_wet_where_one_sample_of_it_is_changed() -> None:
    out = DRY.copy()
    out[1, 3 * BLOCK + 7] += 0.5
    assert bridge._wet(out, DRY).tolist() == [False, False, False, True, False, False, False, False]


def test_the_lag_ends_at_the_first_sample_that_the_step_changed() -> None:
    before, step = DRY * 0.5, 2 * BLOCK
    after = before.copy()
    after[0, 5 * BLOCK + 3 :] *= 0.9
    assert bridge._lag([before, after], DRY, step) == 3 * BLOCK + 3


def test_a_block_that_came_too_late_does_not_count_as_the_lag() -> None:
    before, step = DRY * 0.5, 2 * BLOCK
    after = before.copy()
    after[:, 3 * BLOCK : 4 * BLOCK] = DRY[:, 3 * BLOCK : 4 * BLOCK]
    assert bridge._lag([before, after], DRY, step) is None
    after[:, 6 * BLOCK :] *= 0.9
    assert bridge._lag([before, after], DRY, step) == 4 * BLOCK


def test_the_cost_is_the_difference_of_neighbours_in_percent_of_a_block() -> None:
    block_ns = round(BLOCK / RATE * 1e9)
    heard = bridge._Heard([block_ns // 50 + 1000] * 2000, [1000] * 2000, [], [])
    cost = bridge._cost(heard)
    assert cost.blocks == 2000
    assert cost.empty_us == (1.0, 1.0)
    assert np.allclose(cost.added_share, 2.0, atol=0.01)


def test_the_empty_plugin_passes_its_input_on() -> None:
    with ClapHost(build_empty()) as host:
        host.activate(RATE, BLOCK)
        assert np.array_equal(host.render(DRY, BLOCK).audio, DRY)
        assert np.array_equal(host.render(DRY, BLOCK, in_place=True).audio, DRY)


def test_the_table_shows_every_figure() -> None:
    found = Bridge(
        Cost(4, (11.0, 22.0), (3.0, 4.0), (8.0, 18.0), (0.08, 0.17)),
        Roll(10.0, 2, 777, 5, 6, 48_000, 12.5, 1000.0),
        Crowd(16, 99, 1, (333.0, 444.0), 0, 93.0),
        Memory(180.0, 60.0, 600.0, 601.0, 602.0),
    )
    shown = bridge.table("here", found)
    for figure in (
        "11 / 22",
        "3 / 4",
        "0.08 / 0.17",
        "12.5 ticks, 1000 ms",
        "777 / 6",
        "93 %",
        "333 / 444",
        "600 / 601 / 602",
    ):
        assert figure in shown, figure
    assert set(asdict(found)) == {"cost", "roll", "crowd", "memory"}
    silent = Bridge(found.cost, Roll(1.0, 2, 0, 0, 0, None, None, None), found.crowd, found.memory)
    assert "never heard" in bridge.table("here", silent)


def test_the_command_says_what_is_not_built(tmp_path: Path) -> None:
    unbuilt = demon("bench", "bridge", "--quick", home=tmp_path, XDG_CACHE_HOME=str(tmp_path))
    assert unbuilt.returncode != 0
    assert "demon plugin build" in unbuilt.stderr
