"""The shared timeline: what is mapped was checked first, and captures that were overwritten are noticed."""

import os
import tempfile

import numpy as np
import pytest
from peer import CAPTURES, MemoryFile

from sidecar.chunks import Cutter
from sidecar.errors import TimelineError
from sidecar.publisher import BACKLOG, Publisher
from sidecar.timeline import SlotPool, Timeline
from sidecar.windows import Run


def opened(file: MemoryFile, **other: int) -> Timeline:
    keys = {"pid": os.getpid(), "fd": file.fd, "size": file.size, "epoch": file.epoch, "rate": file.rate, **other}
    return Timeline.open(**keys)


def test_a_slot_is_written_where_the_plugin_reads_it() -> None:
    file = MemoryFile()
    audio = np.arange(4096, dtype=np.float32).reshape(2, 2048)
    opened(file).write(7, -3, audio, generation=5, pass_=2, version=2**40, valid=2000)
    header, read = file.slot(7)
    assert header == {"chunk": -3, "generation": 5, "pass": 2, "version": 2**40, "epoch": 1, "valid": 2000}
    assert read.tobytes() == audio.tobytes()
    assert not file.slot(6)[1].any()
    assert not file.slot(8)[1].any()


@pytest.mark.parametrize(
    "wrong",
    [
        {"magic": 0},
        {"version": 2},
        {"header": 0},
        {"bytes": 1},
        {"rate": 44_100},
        {"channels": 1},
        {"chunk": 1024},
        {"entries": 0},
        {"slots": 0},
        {"slots": 2**20},
        {"slots": 100_000},
        {"entries": 100_000_000},
        {"epoch": 2},
        {"table": 0},
        {"table": 2**63},
        {"headers": 4096},
        {"data": 4097},
        {"capture": 2**40},
        {"records": 511},
        {"samples": 1025},
        {"slot_stride": 1},
        {"capture_stride": 1},
    ],
)
def test_a_wrong_header_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(TimelineError):
        opened(MemoryFile(wrong=wrong))


def test_what_the_message_says_must_match_the_file() -> None:
    file = MemoryFile()
    for wrong in ({"size": file.size + 4096}, {"epoch": 9}, {"rate": 44_100}, {"fd": 10_000}, {"pid": 2**22 + 1}):
        with pytest.raises(TimelineError) as caught:
            opened(file, **wrong)
        assert caught.value.fix


def test_only_a_sealed_memory_file_is_mapped() -> None:
    file = MemoryFile()
    content = bytes(file.map)
    with tempfile.NamedTemporaryFile() as named:
        named.write(content)
        named.flush()
        file.fd = named.fileno()
        with pytest.raises(TimelineError, match="unnamed"):
            opened(file)
    unsealed = os.memfd_create("unsealed")
    os.write(unsealed, content)
    file.fd = unsealed
    with pytest.raises(TimelineError, match="sealed"):
        opened(file)
    read_end, write_end = os.pipe()
    file.fd = read_end
    with pytest.raises(TimelineError):
        opened(file)
    for descriptor in (unsealed, read_end, write_end):
        os.close(descriptor)


def test_a_capture_that_was_overwritten_is_noticed() -> None:
    file = MemoryFile()
    timeline = opened(file)
    audio = np.ones((2, 100), np.float32)
    file.put_capture(3, -50, 7, audio)
    got = timeline.capture(3)
    assert (got.song, got.pass_, got.audio.tobytes()) == (-50, 7, audio.tobytes())
    file.put_capture(3 + CAPTURES, 0, 7, audio)
    assert timeline.capture(3) is None
    assert timeline.capture(4) is None


def test_slots_that_the_table_names_are_not_written_by_a_new_sidecar() -> None:
    file = MemoryFile(slots=10)
    table = np.frombuffer(file.map, "<u8", 10, 4096)
    table[4] = (2 + 1) | 5 << 20 | 1 << 44
    assert opened(file).unnamed_slots() == [0, 1, 3, 4, 5, 6, 7, 8, 9]


def test_a_pool_owns_a_slot_once() -> None:
    pool = SlotPool(3, [0, 1])
    pool.add([1, 2, 3, 2**32 - 1])
    assert [pool.take() for _ in range(len(pool))] == [0, 1, 2]


def run_of(start: int, end: int, generation: int = 1) -> Run:
    audio = np.arange(start, end, dtype=np.float32)
    return Run(start, np.stack([audio, -audio]), generation, generation)


def test_each_chunk_is_given_out_once_and_whole() -> None:
    cutter = Cutter((1_000, 9_000))
    chunks = [
        chunk for start in range(1_000, 9_000, 500) for chunk in cutter.add(run_of(start, min(start + 500, 9_000)))
    ]
    assert [chunk.number for chunk in chunks] == [0, 1, 2, 3, 4]
    joined = np.concatenate([chunk.audio for chunk in chunks], axis=1)
    assert joined[0, 1_000:9_000].tolist() == list(range(1_000, 9_000))
    assert not joined[:, :1_000].any()
    assert not joined[:, 9_000:].any()
    assert chunks[-1].valid == 9_000 - 4 * 2048


def test_a_chunk_over_a_skipped_window_is_not_given_out() -> None:
    cutter = Cutter((0, 20_000))
    first = cutter.add(run_of(0, 5_000))
    after = cutter.add(run_of(10_000, 20_000, generation=2))
    assert [chunk.number for chunk in first] == [0, 1]
    assert [chunk.number for chunk in after] == [5, 6, 7, 8, 9]


def test_chunks_wait_for_free_slots() -> None:
    import msgpack

    file, sent = MemoryFile(slots=3), []
    publisher = Publisher(opened(file), sent.append)
    publisher.add(1, Cutter((0, 10 * 2048)).add(run_of(0, 10 * 2048)))
    named = [slot for head, data in sent for _, slot, _ in np.frombuffer(data, "<i8,<u4,<u4").tolist()]
    assert sorted(named) == [0, 1, 2]
    publisher.free([1, 1])
    publisher.free([0, 2])
    numbers = [chunk for _, data in sent for chunk, _, _ in np.frombuffer(data, "<i8,<u4,<u4").tolist()]
    assert numbers == [0, 1, 2, 3, 4, 5]
    assert {msgpack.unpackb(head)["pass"] for head, _ in sent} == {1}
    assert not publisher.full
    publisher.add(1, Cutter((0, BACKLOG * 2048)).add(run_of(0, BACKLOG * 2048)))
    assert publisher.full
    publisher.forget()
    publisher.free([0, 1, 2])
    assert len(sent) == 3
