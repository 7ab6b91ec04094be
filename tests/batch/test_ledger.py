"""Which results are finished."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vidrestore.batch.ledger import NAME, Ledger
from vidrestore.errors import OutputError

KEY = {"the input": "x", "--w": "0.5"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one result."""
    (tmp_path / "a.mp4").write_bytes(b"result")
    Ledger(tmp_path).add(Path("a.mp4"), Path("in/a.mp4"), KEY, tmp_path / "a.mp4")
    return tmp_path


def test_a_result_is_known_to_later_runs(folder):
    result = Ledger(folder).find(Path("a.mp4"))
    assert result.key == KEY
    assert result.input == str(Path("in/a.mp4").absolute())
    assert result.is_at(folder / "a.mp4")
    assert Ledger(folder).find(Path("b.mp4")) is None


@pytest.mark.parametrize("content", [b"Result", b"result and more", b"", None])
def test_a_file_that_is_not_as_it_was_made_is_not_the_result(folder, content):
    path = folder / "a.mp4"
    path.unlink() if content is None else path.write_bytes(content)
    assert not Ledger(folder).find(Path("a.mp4")).is_at(path)


def test_the_last_result_of_a_name_counts(folder):
    Ledger(folder).add(Path("a.mp4"), Path("in/a.mp4"), KEY | {"--w": "1"}, folder / "a.mp4")
    assert Ledger(folder).find(Path("a.mp4")).key["--w"] == "1"


def test_what_another_batch_adds_is_read(folder):
    first, second = Ledger(folder), Ledger(folder)
    (folder / "b.mp4").write_bytes(b"other")
    second.add(Path("b.mp4"), Path("b.mp4"), KEY, folder / "b.mp4")
    assert first.find(Path("b.mp4")) is None
    first.read()
    assert {result.output for result in first} == {"a.mp4", "b.mp4"}


@pytest.mark.parametrize("damage", [b'{"output": "b', b"[]", b'{"output": 1}', b"\xff\xfe", b"null"])
def test_a_line_that_was_cut_short_counts_for_nothing_and_harms_no_other(folder, damage):
    with (folder / NAME).open("ab") as file:
        file.write(damage)
    ledger = Ledger(folder)
    assert ledger.find(Path("a.mp4"))
    ledger.add(Path("c.mp4"), Path("c.mp4"), KEY, folder / "a.mp4")
    assert {result.output for result in Ledger(folder)} == {"a.mp4", "c.mp4"}


def test_names_that_are_no_text_are_kept(folder):
    name = Path("bad \udcff\n.mp4")
    Ledger(folder).add(name, name, KEY, folder / "a.mp4")
    assert Ledger(folder).find(name)
    assert all(json.loads(line) for line in (folder / NAME).read_text().splitlines() if line)


def test_a_folder_that_cannot_be_written_is_one_sentence(folder, monkeypatch):
    monkeypatch.setattr("os.write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OutputError, match="No space left"):
        Ledger(folder).add(Path("b.mp4"), Path("b.mp4"), KEY, folder / "a.mp4")
