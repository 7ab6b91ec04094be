"""How requests of the API are answered."""

from __future__ import annotations

import pytest

from tests.support.page import serving
from vidrestore.ui.answering import integer, seconds
from vidrestore.ui.uploads import RefusedError


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
