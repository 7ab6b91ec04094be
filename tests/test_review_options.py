"""The options that show what a run did."""

from __future__ import annotations

from dataclasses import fields

from vidrestore.option_types import option_of
from vidrestore.review_options import Review


def test_they_are_a_group_of_their_own():
    for described in fields(Review):
        about = option_of(described)
        assert about.group == "review"
        assert described.default is None or described.name == "compare_layout"
        assert about.flags
        assert about.help
