"""Values of JSON are checked, and errors name the place."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from vidrestore.faces.recorded import json_values
from vidrestore.faces.recorded.json_values import InvalidError, quoted, reject_constant, unique_keys

RIGHT = {
    "number": [(1, 1.0), (-0.5, -0.5)],
    "share": [(0, 0.0), (1, 1.0)],
    "positive_integer": [(1, 1), (2**31 - 1, 2**31 - 1)],
    "text": [("", "")],
    "boolean": [(True, True)],
    "fraction": [("1/25", Fraction(1, 25)), ("2", Fraction(2))],
    "list_of": [([], [])],
}
WRONG = {
    "number": [True, None, "1", 1e300, [1]],
    "share": [-0.01, 1.01, "0", True],
    "positive_integer": [0, 1.0, True, 2**31],
    "text": [None, 1],
    "boolean": [0, None, "true"],
    "fraction": ["1/0", "1e999999", "a", 1],
    "list_of": [{}, None],
}


def cases(table: dict[str, list[Any]]) -> list[Any]:
    return [pytest.param(name, case, id=f"{name}-{case}") for name, some in table.items() for case in some]


@pytest.mark.parametrize(("name", "case"), cases(RIGHT))
def test_right_values(name: str, case: tuple[Any, Any]) -> None:
    value, expected = case
    read = getattr(json_values, name)(value, "here")
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(("name", "value"), cases(WRONG))
def test_wrong_values(name: str, value: Any) -> None:
    with pytest.raises(InvalidError, match=r"^here must be "):
        getattr(json_values, name)(value, "here")


def test_hooks_refuse_what_json_allows_or_tolerates():
    with pytest.raises(InvalidError, match='the key "a" occurs twice in one object'):
        json.loads('{"a": 1, "b": 2, "a": 3}', object_pairs_hook=unique_keys)
    with pytest.raises(InvalidError, match="Infinity is not a number"):
        json.loads("[Infinity]", parse_constant=reject_constant)


def test_long_values_are_shortened():
    assert quoted("x" * 99) == '"' + "x" * 56 + "..."
