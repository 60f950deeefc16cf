"""The headless bounce: the same pass and output stage, one call."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from conftest import RATE, SHORT_CLOCK, music
from rendering import DOCUMENT, Player, cut, score

from engine import Session
from sidecar.automation import parse_automation
from sidecar.bounce import bounce
from sidecar.content import ContentStore
from sidecar.errors import ContentError, StateError
from sidecar.lane import Lane
from sidecar.output import render_output
from sidecar.source import canonical
from sidecar.tempo import UNKNOWN, Tempo

CLIP = music(2.0)
LANES = {
    "version": 1,
    "lanes": {
        "denoise": [{"sample": 0, "value": 0.4}, {"sample": 30_000, "value": 0.9}],
        "mix": [{"sample": 50_000, "value": 0.5}],
    },
}


def test_a_bounce_is_the_pass_behind_the_output_stage(session: Session) -> None:
    out, report = bounce(session, CLIP, RATE, DOCUMENT, parse_automation(LANES, RATE))
    start, later = (point.value for point in parse_automation(LANES, RATE).lanes["denoise"])
    wet = Player(session, score(session), [(30_000, "denoise", later)], denoise=start).play(cut(2 * RATE, 1024))
    mix = Lane(0, 1.0)
    mix.add(50_000, 0.5)
    off = {key: Lane(0, 0.0) for key in ("bypass", "output_gain", "true_peak", "loudness_match")}
    lanes = {**off, "mix": mix}
    assert out.tobytes() == render_output(CLIP, wet, (0, 2 * RATE), RATE, lanes).tobytes()
    assert report.wet
    assert (report.start, report.end) == (0, 2 * RATE)


def test_a_bounce_repeats_and_depends_on_seed_and_lanes(session: Session) -> None:
    automation = parse_automation(LANES, RATE)
    digests = [
        bounce(session, CLIP, RATE, document, lanes)[1].sha256
        for document, lanes in [
            (DOCUMENT, automation),
            (DOCUMENT, automation),
            (DOCUMENT.patch({"seed": 4}), automation),
            (DOCUMENT, None),
        ]
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


@pytest.mark.parametrize("look_ahead", [0.0, 2.4])
def test_prompts_follow_the_tempo_and_metre_given_unless_the_document_says_which(
    session: Session, look_ahead: float
) -> None:
    def digest(song: dict[str, str | None], tempo: Tempo) -> str:
        return bounce(session, CLIP, RATE, document.patch({"song": song}), tempo=tempo)[1].sha256

    document = DOCUMENT.patch({"look_ahead": look_ahead})
    follows, silent = {"tempo": "follow", "metre": "follow"}, {"tempo": None, "metre": None}
    plain = digest(follows, UNKNOWN)
    assert len({plain, digest(follows, Tempo(90.0)), digest(follows, Tempo(90.0, 3, 4, 0))}) == 3
    assert digest(silent, Tempo(90.0, 3, 4, 0)) == digest(silent, UNKNOWN) == plain


@pytest.mark.parametrize("look_ahead", [2.1, 2.4])
def test_a_bounce_with_a_short_look_ahead_is_rendered_to_its_end(session: Session, look_ahead: float) -> None:
    """Spans are then shorter than what the song's first window is decoded from."""
    out, report = bounce(session, CLIP, RATE, DOCUMENT.patch({"look_ahead": look_ahead}))
    assert report.generations >= 2
    assert all(np.abs(out - CLIP)[:, at : at + RATE // 10].max() > 0.01 for at in range(0, CLIP.shape[1], RATE // 10))


def test_a_look_ahead_too_short_to_render_from_is_refused_as_in_a_host(session: Session) -> None:
    with pytest.raises(StateError, match=r"look_ahead is 1 s\.") as refused:
        bounce(session, CLIP, RATE, DOCUMENT.patch({"look_ahead": 1.0}))
    assert "at least to 2.07 s" in refused.value.fix


def test_mix_0_is_the_track(session: Session) -> None:
    out, _ = bounce(session, CLIP, RATE, DOCUMENT.patch({"parameters": {"mix": 0.0}}))
    assert out.tobytes() == CLIP.tobytes()


def test_a_silent_track_stays_silent_and_dry(session: Session) -> None:
    out, report = bounce(session, np.zeros((2, 5000), np.float32), RATE, DOCUMENT)
    assert not out.any()
    assert not report.wet


def test_progress_rises_to_1(session: Session) -> None:
    shares: list[float] = []
    bounce(session, CLIP, RATE, DOCUMENT, report=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_file_source_is_found_in_the_content_store_or_missed_by_name(session: Session, tmp_path: Path) -> None:
    other = canonical(music(2.0)[:, ::-1].copy(), 0, RATE, "backwards")
    document = DOCUMENT.patch({"file": msgspec.to_builtins(other.entry), "parameters": {"source_mode": 1.0}})
    store = ContentStore(tmp_path)
    with pytest.raises(ContentError, match="backwards"):
        bounce(session, CLIP, RATE, document, store=store)
    store.put(other)
    _, report = bounce(session, CLIP, RATE, document, store=store)
    assert report.source == other.hash


@pytest.mark.parametrize(
    ("audio", "rate", "named"),
    [
        (CLIP[0], RATE, "audio"),
        (CLIP.astype(np.float64), RATE, "audio"),
        (CLIP[:, :0], RATE, "audio"),
        (np.full((2, 10), np.nan, np.float32), RATE, "finite"),
        (CLIP, 4_000, "rate"),
    ],
)
def test_wrong_audio_is_refused(session: Session, audio: np.ndarray, rate: int, named: str) -> None:
    with pytest.raises(StateError, match=named):
        bounce(session, audio, rate, DOCUMENT)


def test_a_clip_shorter_than_the_shortest_region_is_bounced(session: Session) -> None:
    out, report = bounce(session, CLIP[:, :3_000], RATE, {"clock": SHORT_CLOCK})
    assert out.shape == (2, 3_000)
    assert report.end == 3_000
