"""Means of figures, and tables of them as text."""

from __future__ import annotations

import numpy as np
import pytest

from vidrestore.measure.face_metrics import FaceComparison
from vidrestore.measure.tables import Column, Tally, plain_table, table


def test_a_tally_is_the_mean_of_its_faces() -> None:
    tally = Tally()
    for values in ([0.1, 0.2], [0.5, 0.6], [0.3, 0.1]):
        tally.add(FaceComparison({"identity": np.array(values)}, np.arange(4.0).reshape(2, 2)), 1)
    assert tally.figures == {"identity": [0.2, 0.6, 0.1]}
    assert tally.summary() == pytest.approx({"identity": 0.3, "identity_median": 0.2})
    assert tally.frechet([np.array([2.0, 3.0]), np.array([2.0, 3.0])]) == pytest.approx(0)


def test_a_tally_of_nothing() -> None:
    tally = Tally()
    assert tally.summary() == {}
    assert tally.figures == {}


def test_a_table_has_the_columns_that_occur() -> None:
    columns = [Column("a", "A", 1, higher_is_better=True), Column("b", "B", 2), Column("c", "C", 3)]
    text = table("title", {"first": {"a": 1.25, "c": 2}, "second row": {"c": 1.0004}}, columns)
    assert text.splitlines() == [
        "title              A ↑         C ↓",
        "first              1.2       2.000",
        "second row                   1.000",
    ]


def test_a_plain_table_formats_and_aligns() -> None:
    rows = [{"name": "x", "share": 0.5, "idle": None}, {"name": "longer", "share": 0.125, "idle": 2}]
    assert plain_table(rows, "name share:.1% idle:.2f").splitlines() == [
        "  name  share  idle",
        "     x  50.0%     -",
        "longer  12.5%  2.00",
    ]
