"""How requests of the API are answered."""

from __future__ import annotations

import pytest

from tests.support.page import serving
from vidrestore.errors import OutputError
from vidrestore.ui.answering import integer, seconds
from vidrestore.ui.uploads import RefusedError
from vidrestore.ui.visitors import Visitor


@pytest.mark.parametrize("value", ["", "-1", "1.5", "x", None, [], 10**12, True])
def test_numbers_are_checked(value):
    with pytest.raises(RefusedError):
        integer(value)
    assert integer("12") == integer(12) == 12


@pytest.mark.parametrize("value", ["", "-1", "nan", "inf", "x", "1e9"])
def test_times_are_checked(value):
    with pytest.raises(RefusedError):
        seconds(value)
    assert seconds("1.5") == 1.5


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 422),
        ("[1]", 422),
        ("null", 422),
        ("[" * 5000 + "]" * 5000, 422),
        ('{"file": ' + '"' + "x" * 70000 + '"}', 413),
        ('{"file": 5, "kind": []}', 404),
        (b"\xff", 422),
    ],
)
def test_bodies_are_checked(tmp_path, body, status):
    with serving(tmp_path) as server:
        found, told = server.client().post("/api/jobs", body)
        assert found == status
        assert told["error"]


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device", "/secret"), OutputError("it is full")]
)
def test_a_full_disk_is_said_without_names_of_the_server(tmp_path, monkeypatch, error):
    with serving(tmp_path) as server:
        client = server.client()

        def fail(*_, **__):
            raise error

        monkeypatch.setattr(type(server.api.database), "all", fail)
        monkeypatch.setattr(type(server.api.visitors), "find", lambda *_: Visitor("a", client.csrf, tmp_path))
        status, told = client.get("/api/files")
        monkeypatch.undo()
    assert status == 507
    assert "secret" not in told["error"]
