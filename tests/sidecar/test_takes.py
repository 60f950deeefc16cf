"""Takes: kept from what was heard, played click-free and bit for bit in place of the live rendering."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import RATE, Running, music
from hypothesis import given, settings
from hypothesis import strategies as st
from peer import Peer
from rendering import Player, cut, score
from test_references import act
from typer.testing import CliRunner
from visit import CLIP, bounced, learned

from engine import Session
from sidecar import __version__, take_file
from sidecar.cli.app import app
from sidecar.errors import StateError
from sidecar.frames import WINDOW, first_sample
from sidecar.ledger import Ledger, Ledgers
from sidecar.parameters import TABLE
from sidecar.runfile import RunFile, write_run_file
from sidecar.source import SourceAudio, canonical
from sidecar.takes import Deck, Takes
from sidecar.windows import Run

Connect = Callable[..., Peer]
TAKE = TABLE["take"].id
WINDOW_S = WINDOW / 25
SEAM = RATE // 100


def take(start: int, windows: int, gain: float = 1.0) -> SourceAudio:
    """A take from a frame on; nowhere silent."""
    samples = first_sample(windows * WINDOW, RATE)
    made = canonical(
        (music(windows * WINDOW_S)[:, :samples] + 0.25) * np.float32(gain), first_sample(start, RATE), RATE
    )
    assert made is not None
    return made


def part(source: SourceAudio, start: int, end: int) -> np.ndarray:
    return source.audio[:, start - source.first : end - source.first]


CHOICES = st.lists(st.integers(0, 3), min_size=6, max_size=6)
PLACES = st.tuples(st.integers(0, 4), st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(choices=CHOICES, places=st.lists(PLACES, min_size=3, max_size=3))
def test_a_take_is_heard_exactly_but_for_seams_and_nothing_jumps(
    choices: list[int], places: list[tuple[int, int]]
) -> None:
    takes = {number: take(first * WINDOW, count, 0.3 * number) for number, (first, count) in enumerate(places, 1)}
    deck = Deck(Takes(takes), 6 * WINDOW, RATE)
    length = first_sample(WINDOW, RATE)
    before: np.ndarray | None = None
    for index, choice in enumerate(choices):
        at, frame = index * length, index * WINDOW
        live = np.full((2, length), np.float32(-0.5 - 0.01 * index))
        needed = deck.needs_live(choice, frame)
        covered = choice != 0 and deck.covers(choice, frame, frame + WINDOW)
        assert needed or covered
        heard = deck.render(choice, frame, live if needed else None)
        wanted = part(takes[choice], at, at + length) if covered else live
        inside = slice(SEAM, length - SEAM)
        assert heard[:, inside].tobytes() == wanted[:, inside].tobytes()
        if not needed and before is None:
            assert heard.tobytes() == wanted.tobytes()
        if before is not None:
            # takes and the live signal are up to 1.7 apart; neighbouring samples of a seam are 1/480 of that
            assert np.abs(heard[:, 0] - before).max() < 0.08
        assert np.abs(np.diff(heard, axis=1)).max() < 0.35  # the clip's own steepest step
        before = heard[:, -1]


def test_a_take_that_covers_everything_costs_no_tick(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    made = score(session)
    covering = take(0, made.course.frames // WINDOW)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the engine was asked")

    player = Player(session, made, take=2.0)
    player.run.play(Takes({2: covering}))
    for asked in ("open_stream", "decode"):
        monkeypatch.setattr(session, asked, refuse)
    heard = player.play([RATE, RATE])
    assert heard.tobytes() == covering.audio.tobytes()


def test_a_take_switched_in_and_out_is_the_same_in_blocks_of_any_size(session: Session) -> None:
    made = score(session)
    kept = take(10, 4)
    points = [(4_800, "take", 1.0), (52_800, "take", 0.0), (52_999, "denoise", 0.3)]

    def played(size: int) -> Player:
        player = Player(session, made, points)
        player.run.play(Takes({1: kept}))
        player.play(cut(2 * RATE, size))
        return player

    whole, small = played(2 * RATE), played(512)
    assert whole.audio.tobytes() == small.audio.tobytes()
    plain = Player(session, made).play([2 * RATE])
    assert whole.audio[:, :19_200].tobytes() == plain[:, :19_200].tobytes()
    exact = [run.start for run in whole.runs if run.start and np.array_equal(run.audio, part(kept, *ends(run)))]
    assert exact == [3 * 19_200]  # a window before it crosses in, the one after it crosses out


def ends(run: Run) -> tuple[int, int]:
    return run.start, run.start + run.audio.shape[1]


def test_a_take_of_another_rate_covers_the_same_frames() -> None:
    kept = take(10, 3)
    deck = Deck(Takes({1: kept}), 50, 44_100)
    assert [deck.covers(1, frame, frame + WINDOW) for frame in (0, 10, 20, 30, 40)] == [False, True, True, True, False]
    heard = deck.render(1, 10, np.zeros((2, 17_640), np.float32))
    assert heard.shape == (2, 17_640)
    ratio = np.sqrt(np.mean(heard**2) / np.mean(part(kept, 19_200, 38_400) ** 2))
    assert 0.98 < ratio < 1.02


def test_the_ledger_keeps_what_was_heard_last_within_its_bound() -> None:
    ledger = Ledger(RATE, limit=3 * 19_200 * 8)
    old, new = np.zeros((2, 19_200), np.float32), np.ones((2, 19_200), np.float32)
    ledger.add([Run(0, old, 1, 0), Run(19_200, old, 1, 0), Run(0, new, 1, 0)])
    first, audio = ledger.span(100, 19_300)
    assert (first, audio.shape, audio[0, 0], audio[0, -1]) == (0, (2, 38_400), 1.0, 0.0)
    ledger.add([Run(38_400, new, 1, 0), Run(57_600, new, 1, 0)])
    with pytest.raises(StateError, match=r"0\.4 s"):  # written longest ago
        ledger.span(0, 38_400)
    assert ledger.span(38_400, 76_800)[0] == 38_400
    for start, end in ((5, 5), (9, 3), (0, 10**9)):
        with pytest.raises(StateError, match="cannot be made"):
            ledger.span(start, end)


def windows(count: int) -> list[Run]:
    return [Run(19_200 * n, np.full((2, 19_200), n, np.float32), 1, 0) for n in range(count)]


def test_all_ledgers_share_a_bound_and_the_fullest_gives_way_first() -> None:
    window = 19_200 * 8
    ledgers = Ledgers(limit=6 * window)
    full, other, third = (ledgers.open(RATE) for _ in range(3))
    ledgers.keep(full, windows(5))
    assert full.bytes == 5 * window
    ledgers.keep(other, windows(2))
    ledgers.keep(third, windows(2))
    assert [ledger.bytes // window for ledger in (full, other, third)] == [2, 2, 2]
    assert full.span(3 * 19_200, 5 * 19_200)[1][0, ::19_200].tolist() == [3.0, 4.0]  # what was heard last
    ledgers.close(other)
    assert ledgers.bytes == 4 * window


def test_what_was_heard_becomes_a_take_and_stays_when_the_sound_changes(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    heard = bounced(peer, 2)
    made = act(peer, "take", slot="A", start=20_000, end=50_000)
    assert made["t"] == "applied"
    document, (text, *_) = peer.wait("document", lambda m: len(m["attachments"]) == 2)
    (entry,) = json.loads(text)["takes"]
    assert (entry["slot"], entry["start_frame"], entry["samples"]) == ("A", 10, 2 * 19_200)
    assert entry["hash"] in document["attachments"]
    assert peer.state(b'{"seed":77}')["t"] == "applied"
    other = bounced(peer, 3)
    with_take = bounced(peer, 4, points=((TAKE, 0, 1.0),))
    assert bounced(peer, 5, size=4_096, points=((TAKE, 0, 1.0),)).tobytes() == with_take.tobytes()
    inside = slice(19_200 + SEAM, 3 * 19_200 - SEAM)
    assert np.abs(with_take[:, inside] - heard[:, inside]).max() <= entry["scale"] * 2.0**-23
    assert np.abs(other[:, inside] - heard[:, inside]).max() > 0.01
    assert with_take[:, :19_200].tobytes() == other[:, :19_200].tobytes()
    assert act(peer, "drop_take", slot="A")["t"] == "applied"
    assert json.loads(peer.wait("document", lambda m: len(m["attachments"]) == 1)[1][0])["takes"] == []
    assert bounced(peer, 6, points=((TAKE, 0, 1.0),)).tobytes() == other.tobytes()


def test_a_take_of_a_standby_is_what_play_begins_with(connect: Connect) -> None:
    peer = connect()
    learned(peer)
    bounced(peer, 2)
    assert act(peer, "take", slot="C", start=0, end=CLIP.shape[1])["t"] == "applied"
    _, (text, *audio) = peer.wait("document", lambda m: len(m["attachments"]) == 2)
    other = connect()
    names = [entry["hash"] for entry in (json.loads(text)["learned"], *json.loads(text)["takes"])]
    assert other.state(text, dict(zip(names, audio, strict=True)))["t"] == "applied"
    points = ((TAKE, 0, 3.0),)
    assert bounced(other, 1, points=points).tobytes() == bounced(peer, 3, points=points).tobytes()


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_take_is_exported_beside_what_is_there_as_it_was_heard(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("DEMON_EXPORT_DIR", str(tmp_path / "music"))
    peer = connect()
    learned(peer)
    heard = bounced(peer, 2)
    act(peer, "take", slot="A", start=20_000, end=50_000)
    first, second = (act(peer, "export_take", slot="A", format=kind) for _ in range(2))
    assert [answer["text"] for answer in (first, second)] == [
        str(tmp_path / "music" / name) for name in (f"Take A.{kind}", f"Take A 2.{kind}")
    ]
    audio, rate = soundfile.read(second["text"], dtype="float32")
    assert rate == RATE
    assert np.abs(audio.T - heard[:, 19_200 : 3 * 19_200]).max() < 2.0**-22
    assert sorted(path.name for path in (tmp_path / "music").iterdir()) == [f"Take A 2.{kind}", f"Take A.{kind}"]
    # As the window gives it another name: the take without its audio, which is here.
    document = json.loads(peer.wait("document", lambda m: len(m["attachments"]) == 2)[1][0])
    named = [{**take, "name": "Verse: 2/2"} for take in document["takes"]]
    assert peer.state(json.dumps({"takes": named}).encode())["t"] == "applied"
    assert act(peer, "export_take", slot="A", format=kind)["text"] == str(tmp_path / "music" / f"Verse_ 2_2.{kind}")


def test_no_name_of_a_take_leads_out_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMON_EXPORT_DIR", str(tmp_path))
    for name in ("../../up", "/etc/passwd", "..", "", "a\0b", "x" * 300, "\N{SNOWMAN}" * 150, ".hidden"):
        path = take_file.export(replace(take(0, 1), name=name), "flac")
        assert path.parent == tmp_path
        assert path.is_file()
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("DEMON_EXPORT_DIR", str(tmp_path / "file"))
    with pytest.raises(StateError, match="cannot be written"):
        take_file.export(take(0, 1), "wav")


@pytest.mark.parametrize(
    ("verb", "arguments", "code"),
    [
        ("take", {"slot": "D", "start": 0, "end": 9_600}, "bad_message"),
        ("take", {"slot": "A", "start": 0}, "bad_message"),
        ("take", {"slot": "A", "start": 0.5, "end": 9_600}, "bad_message"),
        ("take", {"slot": "A", "start": 0, "end": 9_600}, "bad_state"),
        ("take", {"slot": "A", "start": 9, "end": 9}, "bad_state"),
        ("drop_take", {"slot": "A"}, "bad_state"),
        ("export_take", {"slot": "A", "format": "wav"}, "bad_state"),
        ("export_take", {"slot": "A", "format": "mp3"}, "bad_message"),
    ],
)
def test_a_take_that_cannot_be_made_is_refused_with_what_to_do(
    connect: Connect, verb: str, arguments: dict, code: str
) -> None:
    refused = act(connect(), verb, **arguments)
    assert (refused["t"], refused["code"]) == ("failed", code)
    assert refused["fix"]


def test_the_command_line_makes_lists_exports_and_drops(
    connect: Connect, run: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer = connect()
    learned(peer)
    heard = bounced(peer, 2)
    monkeypatch.setenv("DEMON_RUN_DIR", str(tmp_path))
    monkeypatch.setenv("DEMON_CONTENT_DIR", str(run.store.folder))
    write_run_file(tmp_path, RunFile(protocol=2, pid=os.getpid(), port=run.port, token=run.token, version=__version__))

    def demon(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["takes", *arguments])
        assert result.exit_code == 0, result
        return result.output[result.output.find("{\n") :].rpartition("}")[0] + "}"  # the service logs here too

    demon("make", "B", "--start", "0.4", "--end", "1.2")
    listed = json.loads(demon("list", "--json"))["takes"]
    assert [(entry["slot"], entry["samples"]) for entry in listed] == [("B", 2 * 19_200)]
    for name in ("take.wav", "take.flac"):
        demon("export", "b", "-o", str(tmp_path / name))
        audio, rate = soundfile.read(tmp_path / name, dtype="float32")
        assert rate == RATE
        assert np.abs(audio.T - heard[:, 19_200 : 3 * 19_200]).max() < 2.0**-22
    demon("drop", "B")
    assert json.loads(demon("list", "--json"))["takes"] == []
    assert CliRunner().invoke(app, ["takes", "export", "B", "-o", str(tmp_path / "x.wav")]).exit_code != 0
    assert not (tmp_path / "x.wav").exists()
