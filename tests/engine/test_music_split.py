"""Held-out clips are not among the training clips, and are the same ones tomorrow."""

from hypothesis import given
from hypothesis import strategies as st

from engine.training.music import compose, held_out, training

NUMBERS = st.integers(0, 2**31)


@given(NUMBERS, NUMBERS)
def test_no_training_clip_starts_from_the_numbers_of_a_held_out_one(one: int, other: int) -> None:
    assert training(one).integers(2**63, size=4).tolist() != held_out(other).integers(2**63, size=4).tolist()


@given(NUMBERS)
def test_a_clip_is_a_function_of_its_number(index: int) -> None:
    assert compose(held_out(index), 50) == compose(held_out(index), 50)
    assert held_out(index).integers(2**63) != held_out(index + 1).integers(2**63)
