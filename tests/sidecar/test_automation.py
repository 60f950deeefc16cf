"""Automation files: a mistake is named by lane and index."""

import json
from pathlib import Path

import pytest

from sidecar.automation import parse_automation, read_automation
from sidecar.errors import AutomationError
from sidecar.parameters import TABLE


def lanes(*points: dict, key: str = "denoise", **more: object) -> dict:
    return {"version": 1, **more, "lanes": {key: list(points)}}


def test_positions_in_samples_and_seconds_mean_the_same() -> None:
    a = parse_automation(lanes({"sample": 48_000, "value": 0.5}, rate=48_000), 48_000)
    b = parse_automation(lanes({"seconds": 1.0, "value": 0.5}), 48_000)
    assert a == b
    assert (
        parse_automation(lanes({"sample": 48_000, "value": 0.5}, rate=48_000), 44_100).lanes["denoise"][0].sample
        == 44_100
    )


def test_values_are_quantised_as_the_plugin_does() -> None:
    assert parse_automation(lanes({"sample": 0, "value": 1 / 3}), 48_000).lanes["denoise"][0].value == 21845 / 65536


def test_a_value_may_be_the_text_that_a_host_shows() -> None:
    for key, text, plain in (("guidance_mode", "full", 3.0), ("freeze", "On", 1.0), ("denoise", "40 %", 0.4)):
        (point,) = parse_automation(lanes({"sample": 0, "value": text}, key=key), 48_000).lanes[key]
        assert point.value == TABLE[key].quantise(plain)


def test_points_come_in_the_order_of_their_positions() -> None:
    both = {"version": 1, "lanes": {"mix": [{"sample": 9, "value": 1}], "denoise": [{"sample": 3, "value": 0}]}}
    assert [key for key, _ in parse_automation(both, 48_000).in_order()] == ["denoise", "mix"]


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (lanes({"sample": 0, "value": "loud"}), r"lanes.denoise\[0\].value is 'loud'"),
        (lanes({"sample": 0, "value": "Off"}, key="solver"), r"solver\[0\].value is 'Off'.*ODE, SDE"),
        (lanes({"sample": 0, "value": 2.0}), r"lanes.denoise\[0\].value is 2.0"),
        (lanes({"sample": 5, "value": 1}, {"sample": 4, "value": 1}), r"lanes.denoise\[1\]"),
        (lanes({"value": 1}), r"lanes.denoise\[0\]"),
        (lanes({"value": 1, "sample": 1, "seconds": 1}), r"lanes.denoise\[0\]"),
        (lanes({"sample": 0, "value": 1}, key="status"), "lanes.status"),
        (lanes({"sample": 0, "value": 1}, key="loudness"), "lanes.loudness"),
        (lanes({"sample": -1, "value": 1}), r"sample"),
        (lanes({"sample": 0, "value": 1, "curve": "spline"}), "curve"),
        (lanes({"sample": 0, "value": 1, "shape": 1}), "shape"),
        ({"version": 2, "lanes": {}}, "version"),
        ([], "object"),
    ],
)
def test_a_mistake_is_named(data: object, named: str) -> None:
    with pytest.raises(AutomationError, match=named):
        parse_automation(data, 48_000)


def test_a_file_that_is_missing_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AutomationError, match=r"nothing\.json"):
        read_automation(tmp_path / "nothing.json", 48_000)
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(AutomationError, match=r"broken\.json"):
        read_automation(broken, 48_000)
    good = tmp_path / "good.json"
    good.write_text(json.dumps(lanes({"sample": 0, "value": 1})))
    assert read_automation(good, 48_000).value_at_start("denoise", 0.0) == 1.0
