"""COMPATIBILITY.md says only what a test that is there has seen."""

import re
from pathlib import Path

import pytest


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "COMPATIBILITY.md").read_text("utf-8")


def test_every_test_file_that_the_page_names_is_there(repository: Path, page: str) -> None:
    named = set(re.findall(r"`((?:tests/[\w/]+/)?test_\w+\.py)`", page))
    assert len(named) >= 5
    there = {path.relative_to(repository).as_posix() for path in (repository / "tests").rglob("test_*.py")}
    names = {path.rsplit("/", 1)[1] for path in there}
    assert [name for name in named if name not in there | names] == []


def test_every_row_of_a_host_names_its_tests_or_the_day_on_which_a_person_looked(page: str) -> None:
    table = page.split("\n\n")[2]
    assert table.startswith("| host |"), table
    for row in table.splitlines()[2:]:
        assert re.search(r"`[^`]*test_\w+\.py`|all of `tests/hosts`|by hand on \d{4}-\d\d-\d\d", row), row
