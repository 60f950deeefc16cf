"""The parameter table and its arithmetic, which the shim repeats bit for bit."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import StateError
from sidecar.parameters import QUANTUM, TABLE, Parameter, markdown

ROWS = st.sampled_from(list(TABLE))


@given(ROWS, st.floats(allow_infinity=True, allow_nan=True))
def test_a_quantised_value_is_in_range_and_stays(row: Parameter, value: float) -> None:
    once = row.quantise(value)
    assert row.min <= once <= row.max
    assert row.quantise(once) == once


@given(ROWS, st.integers(0, QUANTUM))
def test_float32_and_float64_hosts_mean_the_same_number(row: Parameter, part: int) -> None:
    import numpy as np

    normal = part / QUANTUM
    assert row.plain(float(np.float32(normal))) == row.plain(normal)


@given(ROWS, st.floats(0, 1))
def test_what_is_displayed_can_be_typed(row: Parameter, normal: float) -> None:
    text = row.display(row.plain(normal))
    assert row.display(row.parse(text)) == text
    assert row.display(row.parse(f" {text} {row.unit} ")) == text


@given(ROWS, st.floats(-0.0004, 0.0))
def test_zero_is_read_without_a_sign(row: Parameter, close: float) -> None:
    assert not row.display(close).startswith("-")


@pytest.mark.parametrize("text", ["", "loud", "nan", "inf", "1 2"])
def test_a_text_that_is_no_value_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(StateError, match="output_gain") as caught:
        TABLE["output_gain"].parse(text)
    assert "-48" in caught.value.fix


def test_ids_and_keys_are_unique_and_no_id_is_0() -> None:
    assert len({row.id for row in TABLE}) == len({row.key for row in TABLE}) == len(TABLE)
    assert min(row.id for row in TABLE) > 0


def test_half_a_step_rounds_up() -> None:
    row = TABLE["denoise"]
    assert row.quantise(0.5 / QUANTUM) == 1 / QUANTUM
    assert TABLE["freeze"].quantise(0.5) == 1.0


def test_the_documented_table_is_current() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "parameters.md"
    assert page.read_text("utf-8") == markdown(), "run python -m sidecar.parameters > docs/parameters.md"
