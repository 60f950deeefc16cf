"""What a CLAP plugin's descriptor and parameters have to be. Each function is one check of one plugin file."""

import math
from pathlib import Path

import numpy as np
import pytest
from checks import IS_AUTOMATABLE, IS_READONLY, IS_STEPPED, opened, writable
from hypothesis import given
from hypothesis import strategies as st

from plugin_bridge.clap_host import ClapError, ClapHost, Event

ABSURD = [math.inf, -math.inf, math.nan, 1e308, -1e308, 5e-324, -0.0]


def the_file_lists_its_plugins_and_makes_no_other(path: Path) -> None:
    with pytest.raises(ClapError, match=r"demon-bridge\.demon"):
        ClapHost(path, "no.such.plugin")


def ids_and_names_are_unique_and_defaults_inside_their_ranges(path: Path) -> None:
    with ClapHost(path) as host:
        rows = host.parameters
        assert len({row.id for row in rows}) == len({row.name for row in rows}) == len(rows) > 0
        for row in rows:
            assert row.minimum <= row.default <= row.maximum, row
            assert host.value(row.id) == row.default, row
            assert not (row.flags & IS_READONLY and row.flags & IS_AUTOMATABLE), row
        assert 0 not in {row.id for row in rows}


def every_value_has_a_text_and_every_text_its_value(path: Path) -> None:
    with ClapHost(path) as host:
        for row in host.parameters:
            for share in np.linspace(0, 1, 33):
                value = row.minimum + share * (row.maximum - row.minimum)
                value = round(value) if row.flags & IS_STEPPED else value
                text = host.text(row.id, value)
                assert text, row
                try:
                    again = host.text(row.id, host.parse(row.id, text))
                except ClapError:
                    continue  # a name in brackets, which stands for a choice that is not there
                assert again == text, (row, value)


def a_text_that_is_no_value_is_refused_or_in_range(path: Path) -> None:
    with ClapHost(path) as host:
        for row in host.parameters:
            for text in ("", " ", "much", "1e400", "-", "%", "\U0001f3b9" * 40, "0" * 4000):
                try:
                    value = host.parse(row.id, text)
                except ClapError:
                    continue
                assert row.minimum <= value <= row.maximum, (row, text, value)


def an_unknown_parameter_is_refused(path: Path) -> None:
    with ClapHost(path) as host:
        known = {row.id for row in host.parameters}
        for number in (0, 1, 2**31, 2**32 - 1):
            assert number not in known
            for call in (lambda n=number: host.value(n), lambda n=number: host.text(n, 0.0)):
                try:
                    call()
                except ClapError:
                    continue
                raise AssertionError(f"parameter {number} was answered")
            host.flush([Event(0, number, 0.5)])


def values_sent_with_a_block_stay_inside_their_range(path: Path) -> None:
    with opened(path) as host:
        rows = writable(host)

        @given(st.lists(st.tuples(st.sampled_from(rows), st.floats(), st.integers(0, 64)), max_size=40))
        def fuzz(changes: list) -> None:
            events = [Event(at, row.id, value) for row, value, at in sorted(changes, key=lambda c: c[2])]
            host.process(np.zeros((2, 64), np.float32), events)
            for row in rows:
                assert row.minimum <= host.value(row.id) <= row.maximum, row

        fuzz()


def absurd_values_flushed_at_rest_stay_inside_their_range(path: Path) -> None:
    with ClapHost(path) as host:
        for row in host.parameters:
            for value in ABSURD:
                host.flush([Event(0, row.id, value)])
                assert row.minimum <= host.value(row.id) <= row.maximum, (row, value)


def the_last_of_many_events_in_a_block_counts(path: Path) -> None:
    with opened(path) as host:
        for row in [row for row in writable(host) if not row.flags & IS_STEPPED]:
            low, high = row.minimum, row.maximum
            events = [Event(at, row.id, (low, high)[at % 2]) for at in range(64)]
            host.process(np.zeros((2, 64), np.float32), events)
            assert host.value(row.id) == high, row


def events_out_of_order_or_behind_the_block_crash_nothing(path: Path) -> None:
    with opened(path) as host:
        row = writable(host)[0]
        for times in ([63, 0, 31], [64, 65, 4096, 2**31], [0] * 500):
            host.process(np.zeros((2, 64), np.float32), [Event(at, row.id, row.maximum) for at in times])
        assert row.minimum <= host.value(row.id) <= row.maximum
