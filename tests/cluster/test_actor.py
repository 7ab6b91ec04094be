"""A worker's process: what it sees, receives and says."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vidrestore.cluster import actor
from vidrestore.cluster.actor import Restorer, forget, heard, received_path, sees
from vidrestore.cluster.film import content_of
from vidrestore.errors import OutputError


@pytest.fixture
def restorer(monkeypatch, tmp_path) -> Restorer:
    monkeypatch.setattr(actor, "prepare", lambda: None)
    monkeypatch.setattr(actor, "check_worker", lambda film: None)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return Restorer()


@pytest.fixture
def film(tmp_path) -> Any:
    path = tmp_path / "in.mp4"
    path.write_bytes(b"0123456789")
    (tmp_path / "probe").write_text("probe")
    return SimpleNamespace(
        name="a film",
        options=SimpleNamespace(input=path),
        content=content_of(path),
        folder=tmp_path,
        probe="probe",
    )


def test_what_is_said_is_heard_by_every_context_and_the_log_is_as_before():
    log = logging.getLogger("vidrestore")
    before = log.level, log.propagate, list(log.handlers)
    first, second = heard(), heard()
    one = first.__enter__()
    log.warning("one")
    two = second.__enter__()
    log.info("two")
    first.__exit__(None, None, None)
    log.info("three")
    second.__exit__(None, None, None)
    assert [said.text for said in one] == ["one", "two"]
    assert [said.text for said in two] == ["two", "three"]
    assert (log.level, log.propagate, list(log.handlers)) == before


def test_a_worker_that_sees_the_input_and_the_folder_says_so(restorer, film):
    assert restorer.join(film, None) == ("seen", True)


def test_a_worker_that_does_not_see_the_input_receives_it(restorer, film, tmp_path):
    film.options.input = Path("/nowhere/in.mp4")
    film.folder = tmp_path / "other"
    assert restorer.join(film, None) == ("", False)
    restorer.receive(film, b"01234", begins=True, ends=False)
    assert restorer.join(film, None) == ("", False)
    restorer.receive(film, b"56789", begins=False, ends=True)
    assert restorer.join(film, None) == ("received", False)
    assert received_path(film).read_bytes() == b"0123456789"
    forget(film)
    assert restorer.join(film, None) == ("", False)  # another film with the same input has ended
    forget(film)  # another worker of the machine has done so
    assert list((tmp_path / "tmp").iterdir()) == []


def test_another_file_of_that_name_is_not_the_input(restorer, film):
    film.options.input.write_bytes(b"0123456780")
    assert restorer.join(film, None)[0] == ""


def test_what_cannot_be_kept_is_an_error_and_leaves_nothing(restorer, film, tmp_path, monkeypatch):
    restorer.receive(film, b"01234", begins=True, ends=False)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OutputError, match="No space left on device"):
        restorer.receive(film, b"56789", begins=False, ends=True)
    monkeypatch.undo()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_only_a_folder_with_the_probe_that_can_be_written_is_shared(tmp_path, monkeypatch):
    assert not sees(tmp_path, "probe")
    (tmp_path / "probe").write_text("another")
    assert not sees(tmp_path, "probe")
    (tmp_path / "probe").write_text("probe")
    assert sees(tmp_path, "probe")
    assert [path.name for path in tmp_path.iterdir()] == ["probe"]

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)
    assert not sees(tmp_path, "probe")


def test_messages_are_collected_and_go_nowhere_else(caplog):
    with heard() as said:
        logging.getLogger("vidrestore.media").warning("the file is %s", "damaged")
        logging.getLogger("another").warning("not of this program")
    assert [(each.level, each.text) for each in said] == [(logging.WARNING, "the file is damaged")]
    assert "damaged" not in caplog.text


def test_what_a_worker_remembers_is_bounded(restorer, film):
    for number in range(2 * actor._FILMS):
        restorer.join(SimpleNamespace(**(vars(film) | {"name": str(number)})), None)
    assert len(restorer._films) == actor._FILMS
