"""Every engine parameter moves what is rendered: not before its lag, and not at all where it has nothing to act on."""

from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
from conftest import RATE, SHORT_CLOCK, music
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendering import DOCUMENT, Player, Point

from engine import Session
from sidecar.parameters import TABLE
from sidecar.preparer import Preparer
from sidecar.prompts import Prompts
from sidecar.references import References
from sidecar.score import Score, score_of
from sidecar.source import SourceAudio, canonical

SECONDS = 2.0
SAMPLES = round(SECONDS * RATE)
STEP = 13
"""Frame at which a parameter moves: feedback has three generations to hear by then."""

ELSEWHERE = {"source_mode", "take", "sidechain"}
"""They choose what a pass is rendered from, or what is played in its place; no generation hears them."""

AT_ONCE, ADMITTED = "acts on what is in flight", "acts on what is admitted"

DCW = {"dcw": 1.0}
GUIDED = {"guidance_mode": 3.0}


@dataclass(frozen=True)
class Case:
    """What a parameter moves to, and what it needs to act."""

    value: float
    kind: str = ADMITTED
    needs: dict[str, float] = field(default_factory=dict)


CASES = {
    "denoise": Case(0.2),
    "prompt_blend": Case(1.0),
    "hint_strength": Case(0.0),
    "velocity_scale": Case(0.8, AT_ONCE),
    "timbre_strength": Case(0.25),
    "source_lock": Case(0.7, AT_ONCE),
    "regenerate": Case(0.5),
    "feedback": Case(0.6),
    "feedback_depth": Case(3.0, needs={"feedback": 0.8}),
    "structure_blend": Case(0.5),
    "seed_offset": Case(7.0),
    "freeze": Case(1.0, AT_ONCE, needs={"feedback": 0.8}),
    "new_seed": Case(1.0),
    "prompt_snapshot": Case(2.0),
    "guidance_mode": Case(1.0),
    "guidance": Case(6.0, AT_ONCE, GUIDED),
    "cfg_rescale": Case(1.0, AT_ONCE, GUIDED),
    "apg_momentum": Case(0.9, AT_ONCE, GUIDED | {"guidance": 9.0}),
    "solver": Case(1.0),
    "shift": Case(1.0),
    "sde_amount": Case(0.3, AT_ONCE, {"solver": 1.0}),
    "ode_noise": Case(0.5, AT_ONCE),
    "dcw": Case(1.0),
    "dcw_mode": Case(1.0, needs=DCW),
    "dcw_wavelet": Case(2.0, needs=DCW),
    "dcw_low": Case(0.3, AT_ONCE, DCW),
    "dcw_high": Case(0.3, AT_ONCE, DCW),
    "dcw_mult_blend": Case(1.0, needs=DCW),
    "dcw_mag_phase": Case(1.0, needs=DCW),
    "dcw_soft_thresh": Case(0.2, needs=DCW),
    **{f"channels_{n}": Case(0.5) for n in range(1, 9)},
    **{f"keystone_{n}": Case(0.0) for n in (13, 14, 19, 23, 29, 56)},
    **{f"lora_{n}": Case(-1.0, AT_ONCE) for n in range(1, 9)},
}

BARE = {"timbre_strength", "structure_blend", *GUIDED, "guidance", "cfg_rescale", "apg_momentum", "sde_amount"}
INERT = sorted(
    (BARE | {key for key in CASES if key.startswith(("dcw_", "lora_"))}) - {*GUIDED, "dcw"} | {"feedback_depth"}
)
"""What has nothing to act on in a project without references, guidance, correction, LoRAs and feedback."""


@cache
def audio(tone: float) -> SourceAudio:
    t = np.arange(SAMPLES) / RATE
    wave = 0.3 * np.sign(np.sin(2 * np.pi * tone * t)) * np.exp(-3 * (t % 0.3))
    made = canonical(np.stack([wave, wave]).astype(np.float32), 0, RATE)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def bare(session: Session) -> Score:
    source = canonical(music(SECONDS), 0, RATE)
    assert source is not None
    return score_of(Preparer(session), DOCUMENT, source)


@pytest.fixture(scope="module")
def full(session: Session) -> Score:
    """With both references and a second prompt snapshot."""
    source = canonical(music(SECONDS), 0, RATE)
    assert source is not None
    preparer, references = Preparer(session), References(timbre=audio(110.0), structure=audio(55.0))
    return score_of(preparer, DOCUMENT.patch({"snapshots": [None, {"a": "dnb, breaks"}]}), source, references)


def with_lora(made: Score, slot: int) -> Score:
    prompts: Prompts = replace(made.prompts, loras=(*[None] * (slot - 1), "glass-bells"))
    return replace(made, prompts=prompts)


@pytest.fixture(scope="module")
def unmoved() -> dict:
    """Renderings by what they need, each made once."""
    return {}


def rendered(session: Session, made: Score, points: list[Point], needs: dict[str, float]) -> np.ndarray:
    return Player(session, made, points, **needs).play([SAMPLES])


@pytest.mark.parametrize("key", CASES)
def test_a_parameter_is_heard_after_its_lag_and_not_before(
    session: Session, full: Score, unmoved: dict, key: str
) -> None:
    case = CASES[key]
    lora = key.startswith("lora_")
    made = with_lora(full, int(key[-1])) if lora else full
    context = ("lora" if lora else "", *sorted(case.needs.items()))
    if context not in unmoved:
        unmoved[context] = rendered(session, made, [], case.needs)
    moved = rendered(session, made, [(STEP * 1_920, key, case.value)], case.needs)
    changed = np.flatnonzero((moved != unmoved[context]).any(axis=0))
    lead, admitted = SHORT_CLOCK["lead_frames"], (SHORT_CLOCK["steps"] - 1) * SHORT_CLOCK["tick_frames"]
    assert changed.size
    assert changed[0] // 1_920 >= STEP + lead + (admitted if case.kind == ADMITTED else 0)
    assert np.abs(moved - unmoved[context]).max() > 1e-4


def test_every_engine_parameter_is_in_this_test() -> None:
    assert set(CASES) == {row.key for row in TABLE if row.target == "engine"} - ELSEWHERE


@given(st.dictionaries(st.sampled_from(INERT), st.integers(0, SAMPLES // 2), min_size=1, max_size=12))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_has_nothing_to_act_on_changes_no_byte(session: Session, bare: Score, moves: dict[str, int]) -> None:
    points = [(position, key, CASES[key].value) for key, position in moves.items()]
    assert rendered(session, bare, points, {}).tobytes() == rendered(session, bare, [], {}).tobytes()


def test_all_of_them_at_once_are_the_same_live_and_in_a_bounce(session: Session, full: Score) -> None:
    made = with_lora(full, 3)
    needs = {"guidance_mode": 2.0, "dcw": 1.0, "feedback": 0.4}
    keys = [key for key in CASES if key not in {*needs, "freeze", "solver"}]
    points = [(20_000 + 997 * n, key, CASES[key].value) for n, key in enumerate(keys)]
    bounced = rendered(session, made, points, needs)
    live = Player(session, made, points, live=True, **needs)
    assert live.play([480] * (SAMPLES // 480)).tobytes() == bounced.tobytes()
    assert not live.run.late


def test_each_new_seed_within_a_pass_is_another_one_and_its_number_alone_decides(session: Session, full: Score) -> None:
    on, off = 1.0, 0.0
    once = [(9_600, "new_seed", on)]
    twice = [*once, (10_600, "new_seed", off), (11_600, "new_seed", on)]
    apart = [(9_600, "new_seed", on), (9_601, "new_seed", off), (11_000, "new_seed", on), (11_900, "new_seed", off)]
    plain, first, second, same = (rendered(session, full, points, {}) for points in ([], once, twice, apart))
    assert len({plain.tobytes(), first.tobytes(), second.tobytes()}) == 3
    assert same[:, SAMPLES // 2 :].tobytes() == second[:, SAMPLES // 2 :].tobytes()


def test_a_switch_that_is_on_where_a_pass_begins_is_no_new_seed(session: Session, full: Score) -> None:
    plain = rendered(session, full, [], {})
    assert rendered(session, full, [], {"new_seed": 1.0}).tobytes() == plain.tobytes()
    assert rendered(session, full, [(0, "new_seed", 1.0)], {}).tobytes() == plain.tobytes()


def test_prompts_say_what_the_host_says_or_what_the_document_says_instead(session: Session, full: Score) -> None:
    preparer, frames = Preparer(session), full.course.frames

    def prompts(song: dict, bpm: float | None = None, beats: int | None = None) -> Prompts:
        document = DOCUMENT.patch({"song": song})
        return preparer.prompts(document, frames, cover=True, bpm=bpm, beats=beats)

    silent = prompts({})
    followed = prompts({}, 119.6, 3)
    assert followed == prompts({"tempo": 120, "metre": "3"}, 80.0, 4)
    assert followed != silent
    assert prompts({"tempo": None, "metre": None}, 119.6, 3) == silent
    assert prompts({}, 12.0, 5) == silent  # the model was never told such a tempo or metre
    assert prompts({"key": " a Minor "}) == prompts({"key": "A minor"}) != silent
