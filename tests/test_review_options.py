"""The options that show what a run did."""

from __future__ import annotations

from dataclasses import fields

from vidrestore.option_types import option_of
from vidrestore.review_options import Review


def test_they_are_a_group_of_their_own():
    for described in fields(Review):
        about = option_of(described)
        assert (about.group, described.default) == ("review", None)
        assert about.flags
        assert about.help
