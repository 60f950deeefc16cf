"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from sidecar import whole


def test_a_file_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    for data in (b"long before", b"now"):
        whole.write(path, data)
    assert path.read_bytes() == b"now"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    path.mkdir()
    with pytest.raises(OSError, match=r"take\.wav"):
        whole.write(path, b"now")
    assert list(tmp_path.iterdir()) == [path]
