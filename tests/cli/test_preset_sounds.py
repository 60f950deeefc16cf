"""Every factory preset is heard, at a level that a mix can hold, and as nothing but itself."""

import pytest
from listening import Heard, bounces

# One fixture bounces all of them: 40 s of a free core, several times that beside other jobs.
pytestmark = pytest.mark.timeout(900)

SECONDS = 4.0
"""Two bars of the demo loop; a bounce of them takes about a second of one core."""

APART = 1.4
"""dB. Two seeds of one preset are 0.9 dB apart, median over the presets (docs/log.md)."""


@pytest.fixture(scope="module")
def heard() -> dict[str, Heard]:
    return {preset.about.name: sound for preset, sound in bounces(SECONDS)}


def test_no_two_factory_presets_sound_alike(heard: dict[str, Heard]) -> None:
    names = sorted(heard)
    pairs = [(heard[a].distance(heard[b]), a, b) for i, a in enumerate(names) for b in names[:i]]
    assert [pair for pair in sorted(pairs) if pair[0] < APART] == []


def test_every_factory_preset_is_heard_and_none_is_too_loud(heard: dict[str, Heard]) -> None:
    loudness = {name: sound.loudness for name, sound in heard.items()}
    peaks = {name: sound.peak for name, sound in heard.items()}
    assert {name: lufs for name, lufs in loudness.items() if not -30.0 < lufs < -6.5} == {}
    assert {name: peak for name, peak in peaks.items() if peak > 1.0} == {}
