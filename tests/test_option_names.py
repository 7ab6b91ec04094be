"""Options are found by each of their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidrestore.errors import UsageError
from vidrestore.option_names import find_option, options_from


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("w", "w"),
        ("min_face", "min_face"),
        ("min-face", "min_face"),
        ("--min-face", "min_face"),
        ("ss", "start"),
        ("t", "duration"),
        ("to", "end"),
        ("c:v", "codec"),
        ("encoder_opt", "encoder_options"),
        ("r", "rate"),
        ("rate", "rate"),
        ("y", "overwrite"),
        ("f", "container"),
    ],
)
def test_names(name, field):
    assert find_option(name).name == field


def test_an_unknown_name_has_a_suggestion():
    with pytest.raises(UsageError, match=r"there is no option 'min_fase'; did you mean min_face\?"):
        find_option("min_fase")
    with pytest.raises(UsageError, match=r"there is no option 'zzz'$"):
        find_option("zzz")


def test_options_by_mixed_names():
    options = options_from({"input": "in.mp4", "output": "out.mp4", "ss": "1:30", "c:v": "ffv1", "y": True})
    assert (options.start, options.codec, options.overwrite) == (90, "ffv1", True)
    assert options.input == Path("in.mp4")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"output": "out.mp4"}, "no IN is given"),
        ({"input": None}, "no IN is given"),
        ({"input": "a", "ss": 1, "start": 2}, "ss and start are the same option; give one of them"),
        ({"input": "a", "wow": 1}, "there is no option 'wow'"),
    ],
)
def test_mistakes_are_named(values, message):
    with pytest.raises(UsageError, match=message):
        options_from(values)
