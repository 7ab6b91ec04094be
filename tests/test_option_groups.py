"""Every option is described, once."""

from __future__ import annotations

from dataclasses import fields

import pytest

from vidrestore.encoding_options import Encoding, Machine
from vidrestore.option_groups import General, Restoration, Streams, Time
from vidrestore.option_types import option_of
from vidrestore.review_options import Review

GROUPS = {
    "general": General,
    "restoration": Restoration,
    "time": Time,
    "streams": Streams,
    "encoding": Encoding,
    "machine": Machine,
    "review": Review,
}


@pytest.mark.parametrize("name", GROUPS)
def test_options_of_a_group_say_so_and_have_help(name: str) -> None:
    for described in fields(GROUPS[name]):
        about = option_of(described)
        assert about.group == name
        assert about.help
        assert about.flags or described.name in ("input", "output")


def test_no_flag_is_used_twice():
    flags = [flag for group in GROUPS.values() for field in fields(group) for flag in option_of(field).flags]
    assert len(flags) == len(set(flags))
