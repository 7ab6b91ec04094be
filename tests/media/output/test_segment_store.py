"""A store keeps segments and texts, survives what happens to folders, and is never larger than its limit."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import pytest
from av.packet import Packet

from tests.support.platforms import posix
from vidrestore.errors import OutputError
from vidrestore.media.output import segment_store
from vidrestore.media.output.segment_store import SegmentStore
from vidrestore.media.output.segments import Segment, SegmentFile

SIZE = 1000  #: of the packet in each segment


def make_segment(path: Path, content: bytes = b"x") -> Segment:
    packet = Packet(content * SIZE)
    packet.pts = packet.dts = 0
    packet.time_base = Fraction(1, 25)
    file = SegmentFile(path)
    file.add([packet])
    return file.finish(frames=1, info=[{"faces": 2}], side_data=(), extradata=b"")


@pytest.fixture
def store(tmp_path: Path) -> SegmentStore:
    return SegmentStore(tmp_path / "store", create=True)


@pytest.fixture(params=["links", "copies"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one file system, and on two."""
    if request.param == "copies":

        def refuse(source: Path, target: Path) -> None:
            raise OSError(errno.EXDEV, "Invalid cross-device link")

        monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("either_way")
def test_what_is_kept_outlives_its_file(store, tmp_path):
    segment = make_segment(tmp_path / "0.segment")
    store.add("a-1", segment)
    content = segment.path.read_bytes()
    segment.path.unlink()
    assert store.take("a-2", tmp_path / "1.segment") is None
    taken = SegmentStore(store.folder).take("a-1", tmp_path / "1.segment")
    assert (taken.path, taken.frames, taken.info) == (tmp_path / "1.segment", 1, [{"faces": 2}])
    store.clear()
    assert taken.path.read_bytes() == content
    assert store.take("a-1", tmp_path / "2.segment") is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.segment", "store"]


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("place", [30, -200, -30, -1])
def test_a_damaged_segment_is_noticed_and_removed(store, tmp_path, caplog, place):
    store.add("a-1", make_segment(tmp_path / "0.segment"))
    entry = store.folder / "a-1.segment"
    content = bytearray(entry.read_bytes())
    content[place] ^= 1
    entry.unlink()
    entry.write_bytes(content)
    assert store.take("a-1", tmp_path / "1.segment") is None
    assert "damaged" in caplog.text
    assert not entry.exists()
    assert not (tmp_path / "1.segment").exists()


def test_a_store_that_is_only_read(store, tmp_path, monkeypatch):
    store.add("a-1", make_segment(tmp_path / "0.segment"))
    store.write("a", "text", about="a clip")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "utime", refuse)
    assert store.take("a-1", tmp_path / "1.segment").frames == 1
    assert store.read("a") == "text"


def test_a_text_is_kept(store):
    assert store.read("a") is None
    store.write("a", "two\nlines", about="a clip\nof two lines")
    assert store.read("a") == "two\nlines"
    assert [group.about for group in store.groups()] == ["a clip of two lines"]


def test_the_least_recently_used_goes_first(store, tmp_path, caplog):
    segments = [make_segment(tmp_path / f"{i}.segment") for i in range(4)]
    size = segments[0].path.stat().st_size
    for i, segment in enumerate(segments):
        store.add(f"a-{i}", segment)
        os.utime(segment.path, (1000 + i, 1000 + i))
    later = SegmentStore(store.folder)
    assert later.take("a-0", tmp_path / "x.segment")
    later.set_limit(2 * size)
    assert sorted(path.name for path in store.folder.glob("*.segment")) == ["a-0.segment", "a-3.segment"]
    assert not caplog.text
    for i in range(2):
        later.add(f"b-{i}", make_segment(tmp_path / f"b{i}.segment"))
    assert sum(group.size for group in later.groups()) <= 2 * size
    for i in range(2, 4):
        later.add(f"b-{i}", make_segment(tmp_path / f"b{i}.segment"))
    assert caplog.text.count("raise its limit") == 1
    assert SegmentStore(store.folder).limit == 2 * size
    later.set_limit(None)
    assert SegmentStore(store.folder).limit is None


def test_groups_are_what_begins_with_the_same_word(store, tmp_path):
    for key in ("a-1", "a-2", "b-1"):
        store.add(key, make_segment(tmp_path / "0.segment"))
    store.write("a", "", about="a clip")
    found = {group.about: group.segments for group in store.groups()}
    assert found == {"a clip": 2, "?": 1}


def test_no_other_folder_is_taken_for_a_store(tmp_path):
    (tmp_path / "film.mkv").touch()
    for create in (True, False):
        with pytest.raises(OutputError, match="is not a store of segments, and is not empty"):
            SegmentStore(tmp_path, create=create)
    with pytest.raises(OutputError, match="a run with --keep makes one"):
        SegmentStore(tmp_path / "none")
    with pytest.raises(OutputError, match="cannot be written"):
        SegmentStore(tmp_path / "film.mkv", create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mkv"]


@posix
def test_a_store_that_cannot_be_written_is_said_once(store, tmp_path, caplog, monkeypatch):
    def full(partial: Path, out: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segment_store, "make_durable", full)
    for i in range(2):
        store.add(f"a-{i}", make_segment(tmp_path / f"{i}.segment"))
    assert caplog.text.count("segments are not kept") == 1
    assert "No space left on device" in caplog.text
    assert not list(store.folder.glob("*.segment"))


def test_runs_at_the_same_time(store, tmp_path, caplog):
    """One adds, one takes, and one clears: what is taken is whole, and nothing fails."""
    segments = [make_segment(tmp_path / f"{i}.segment", bytes([i])) for i in range(10)]
    contents = {segment.path.read_bytes() for segment in segments}
    taken: list[bytes] = []

    def add() -> None:
        own = SegmentStore(store.folder)
        for i, segment in enumerate(segments):
            own.add(f"a-{i}", segment)

    def take() -> None:
        own = SegmentStore(store.folder)
        for i in range(100):
            if segment := own.take(f"a-{i % 10}", tmp_path / "taken.segment"):
                taken.append(segment.path.read_bytes())

    def clear() -> None:
        for _ in range(3):
            SegmentStore(store.folder).clear()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for work in (add, add, take, clear)]:
            done.result()
    add()
    take()
    assert len(taken) >= 100
    assert set(taken) == contents
    assert not caplog.text


def test_what_a_killed_run_left_half_done_goes(store, tmp_path):
    (store.folder / "a-1.part").write_bytes(b"half")
    store.add("a-2", make_segment(tmp_path / "0.segment"))
    assert not (store.folder / "a-1.part").exists()


def test_names_that_are_no_text_are_kept_readable(store):
    """Those of files may hold any bytes."""
    store.write("a", "[]", about="caf\udce9.mp4, its faces")
    assert store.read("a") == "[]"
    [group] = store.groups()
    assert group.about == "caf\\udce9.mp4, its faces"
