"""The bench measures what it says: whole ticks, real generations, exact counts. What the figures are is not tested."""

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

import engine
from engine.bench import report, suite
from engine.bench.frozen import frozen_window
from engine.bench.latency import control_latency
from engine.bench.loads import LOADS, load
from engine.bench.memory import peak_memory
from engine.bench.pairs import Ratio, Took, in_turns
from engine.bench.pipeline import stream_over_pipeline
from engine.bench.song import full_generation, moving_region
from engine.bench.tick import tick_over_forwards
from engine.bench.window import window_over_full

FRAMES = 60


def _is_a_spread(values: tuple[float, float, float]) -> bool:
    low, middle, high = values
    return 0.0 < low <= middle <= high


def test_pairs_are_measured_in_alternating_order_and_kept_apart():
    order: list[str] = []
    pairs = in_turns(lambda: order.append("a") or "a", lambda: order.append("b") or "b", 3)
    assert pairs == [("a", "b")] * 3
    assert "".join(order) == "abbaab"


def test_a_ratio_is_first_over_second():
    ratio = Ratio.of([Took(2.0, 1.0), Took(4.0, 3.0), Took(9.0, 8.0)], [Took(1.0, 1.0), Took(4.0, 1.0), Took(3.0, 1.0)])
    assert ratio.pairs == 3
    assert ratio.of_pairs[1] == 2.0
    assert ratio.of_fastest == 2.0
    assert ratio.of_cpu == 3.0


@pytest.mark.parametrize("name", LOADS)
def test_a_tick_holds_the_forwards_its_load_names(session: engine.Session, monkeypatch: pytest.MonkeyPatch, name: str):
    asked = load(session, name, FRAMES)
    calls: list[engine.Conditioning] = []
    real = session.backend.dit_step

    def counted(x, time, conditioning, *rest, **more):
        calls.append(conditioning)
        return real(x, time, conditioning, *rest, **more)

    with session.open_stream(FRAMES, 1) as stream:
        stream.submit(next(asked.requests()))
        monkeypatch.setattr(session.backend, "dit_step", counted)
        stream.tick()
    assert [id(one) for one in calls] == [id(one) for one in asked.forwards]


def test_every_request_of_a_load_draws_noise_of_its_own(session: engine.Session):
    requests = load(session, "everything", FRAMES).requests()
    assert len({next(requests).seed for _ in range(20)}) == 20


def test_ticks_are_reported_with_forwards_of_every_slot(session: engine.Session):
    made = tick_over_forwards(session, FRAMES, 4, name="everything", pairs=3)
    assert (made.frames, made.depth, made.forwards, made.ratio.pairs) == (FRAMES, 4, 8, 3)
    assert _is_a_spread(made.forward_ms)
    assert _is_a_spread(made.tick_ms)
    assert _is_a_spread(made.ratio.of_pairs)


def test_the_stream_and_the_pipeline_are_timed_from_prompt_to_latent(session: engine.Session):
    seen: list[int] = []
    made = stream_over_pipeline(session, 30, pairs=2, done=lambda: seen.append(1))
    assert len(seen) == made.throughput.pairs == made.throughput_with_text.pairs == 2
    for spread in (made.stream_ms, made.stream_text_ms, made.pipeline_ms, made.pipeline_text_ms):
        assert _is_a_spread(spread)


def test_a_control_is_heard_of_seven_ticks_later_at_depth_four_and_eight_steps(session: engine.Session):
    made = control_latency(session, 30, depth=4, changes=6)
    assert (made.ticks, made.ticks_at_most, made.spacing, made.steps) == (7, 8, 2, 8)
    assert _is_a_spread(made.ms)


@pytest.mark.parametrize(("depth", "at_most", "spacing"), [(1, 14, 8), (2, 10, 4), (8, 7, 1)])
def test_depth_decides_how_long_a_change_waits_for_its_turn_and_nothing_else(
    session: engine.Session, depth: int, at_most: int, spacing: int
):
    made = control_latency(session, 30, depth=depth, changes=10)
    assert (made.ticks, made.ticks_at_most, made.spacing) == (7, at_most, spacing)


def test_a_window_is_held_against_the_share_it_decodes(session: engine.Session):
    made = window_over_full(session, 90, 12, pairs=2)
    share = (12 + 18) / 90
    assert made.over_share.of_cpu == pytest.approx(made.over_full.of_cpu / share)
    assert _is_a_spread(made.window_ms)
    assert _is_a_spread(made.tiled_ms)
    assert _is_a_spread(made.whole_ms)


def test_a_song_costs_what_its_regions_do(session: engine.Session):
    made = moving_region(session, 100, 200, region=100, pairs=1)
    assert (made.region, made.regions) == (100, (1, 3))
    assert made.per_second.of_cpu == pytest.approx(made.per_region.of_cpu * 3 / 2)
    assert _is_a_spread(made.second_ms)
    whole = full_generation(session, 30, 60, pairs=1)
    assert (whole.region, whole.regions) == (0, (1, 1))
    assert whole.per_second.of_cpu == pytest.approx(whole.per_region.of_cpu / 2)


def test_a_process_of_its_own_says_its_peak(session: engine.Session):
    folder = session.checkpoint.folder
    found = peak_memory(folder, "eager", "stream", 30)
    weights = sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 2**20
    assert (found.backend, found.work, found.frames) == ("eager", "stream", 30)
    assert found.peak_mib > weights


@pytest.mark.parametrize(("work", "threads"), [("dance", 1), ("open", 0)])
def test_memory_of_what_cannot_be_run_is_refused(session: engine.Session, work: str, threads: int):
    with pytest.raises(engine.RequestError, match=r"work|threads"):
        peak_memory(session.checkpoint.folder, "eager", work, 0, threads=threads)


@pytest.fixture(scope="module")
def small_report(session: engine.Session) -> suite.Report:
    figures = [
        tick_over_forwards(session, 30, pairs=1),
        stream_over_pipeline(session, 30, pairs=1),
        control_latency(session, 30, changes=2),
        window_over_full(session, 30, 9, pairs=1),
        full_generation(session, 30, 40, pairs=1),
        frozen_window(session, 40, 60, 30, pairs=1),
    ]
    return suite.Report(
        machine={"cpu": "x"},
        checkpoint="c",
        threads=1,
        quick=True,
        figures={"eager": figures},
        memory=[],
        missing={"compiled": "no compiler"},
    )


def test_the_document_is_json_and_names_every_kind_of_figure(small_report: suite.Report):
    written = json.loads(json.dumps(report.document(small_report)))
    assert (written["format"], written["version"]) == ("demon-bench-engine", 1)
    kinds = [figure.pop("kind") for figure in written["figures"]["eager"]]
    assert kinds == [
        "TickOverForwards",
        "StreamOverPipeline",
        "ControlLatency",
        "WindowOverFull",
        "SongCost",
        "FrozenCost",
    ]
    for figure, plain in zip(small_report.figures["eager"], written["figures"]["eager"], strict=True):
        assert plain == json.loads(json.dumps(asdict(figure)))


def test_the_table_has_one_row_per_figure_with_its_target(small_report: suite.Report):
    rows = [line for line in report.table(small_report).splitlines() if line.startswith("| eager")]
    assert {row.count("|") for row in rows} == {6}
    assert "compiled could not be measured: no compiler" in report.table(small_report)
    targets = [row.split("|")[5].strip() for row in rows]
    assert targets.count("<= 1.05") == 1
    assert targets.count("7") == 1
    assert targets.count("<= 1.1") == 1


def test_nothing_is_measured_in_no_pairs(session: engine.Session):
    with pytest.raises(engine.EngineError, match="at least one pair"):
        tick_over_forwards(session, 30, 1, pairs=0)


def test_an_unknown_load_is_refused(session: engine.Session):
    with pytest.raises(engine.RequestError, match="everything"):
        load(session, "nothing", FRAMES)


def test_describing_the_machine_loads_no_tensor_library():
    code = "import sys, engine.bench.machine as m; m.line(); print(sorted({'torch', 'diffusers'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.strip() == "[]"
