"""How options are parsed, converted and checked."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vidrestore.errors import UsageError
from vidrestore.option_types import (
    convert,
    display_name,
    float_or_auto,
    frames_per_second,
    int_or_auto,
    name_and_value,
    parse,
    photo_and_name,
    seconds,
    size,
    steady_parts,
    track_and_w,
)
from vidrestore.options import Options

FIELDS = {option.name: option for option in fields(Options)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("90", Fraction(90)),
        ("1:30", Fraction(90)),
        ("0:01:30.5", Fraction(181, 2)),
        ("3/2", Fraction(3, 2)),
        (".5", Fraction(1, 2)),
    ],
)
def test_seconds(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20GB", 20 * 10**9),
        ("1.5 gb", 1_500_000_000),
        ("300M", 300_000_000),
        ("2TB", 2 * 10**12),
        ("4096", 4096),
        ("0", 0),
        ("none", None),
    ],
)
def test_size(text, value):
    assert size(text) == value


def test_photo_and_name():
    assert photo_and_name("a=b.jpg=Ada L.") == (Path("a=b.jpg"), "Ada L.")
    for text in ("ada.jpg", "=Ada", "ada.jpg="):
        with pytest.raises(ValueError, match="is not PHOTO=NAME"):
            photo_and_name(text)


@pytest.mark.parametrize("text", ["", "much", "-1", "20 GiB", "1e9", "inf", "9" * 40])
def test_what_is_not_a_size(text):
    with pytest.raises(ValueError, match="is not a size; give one such as 20GB, or none"):
        size(text)


@pytest.mark.parametrize(
    "text", ["", "soon", "1:", "1:-30", "+5", "0:0:0:1", "nan", "1e9", "1/0/2", "9" * 40]
)
def test_what_is_not_a_time(text):
    with pytest.raises(ValueError, match=r".*"):
        seconds(text)


@pytest.mark.parametrize(
    ("function", "text", "value"),
    [
        (frames_per_second, "30000/1001", Fraction(30000, 1001)),
        (frames_per_second, "29.97", Fraction(2997, 100)),
        (name_and_value, "a=b=c", ("a", "b=c")),
        (track_and_w, "3=0.8", (3, 0.8)),
        (float_or_auto, "auto", "auto"),
        (float_or_auto, "0.5", 0.5),
        (int_or_auto, "auto", "auto"),
        (int_or_auto, "4", 4),
    ],
)
def test_values(function, text, value):
    assert function(text) == value


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (frames_per_second, "0"),
        (frames_per_second, "1001"),
        (name_and_value, "a"),
        (name_and_value, "=b"),
        (track_and_w, "3"),
        (int_or_auto, "4.5"),
    ],
)
def test_bad_values(function, text):
    with pytest.raises(ValueError, match=r".*"):
        function(text)


def test_steady_parts():
    assert steady_parts("none") == frozenset()
    assert steady_parts("codes,input") == {"codes", "input"}
    assert steady_parts("all") == {"input", "codes", "output", "colour"}
    with pytest.raises(UsageError, match="--steady cannot be 'hand', 'tripod'; use all, none"):
        steady_parts("tripod,hand")


def test_text_is_parsed_as_on_the_command_line():
    assert parse(FIELDS["start"], "1:30") == 90
    with pytest.raises(UsageError, match="--crf cannot be 'low'; give a number"):
        parse(FIELDS["crf"], "low")
    with pytest.raises(UsageError, match="--crf must be between 0 and 63, not 64"):
        parse(FIELDS["crf"], "64")
    with pytest.raises(UsageError, match="-r cannot be '1/0'"):
        parse(FIELDS["rate"], "1/0")


@pytest.mark.parametrize(
    ("name", "value", "converted"),
    [
        ("input", "in.mp4", Path("in.mp4")),
        ("input", Path("in.mp4"), Path("in.mp4")),
        ("tracks", None, None),
        ("start", 2, Fraction(2)),
        ("start", 29.97, Fraction(2997, 100)),
        ("start", "1:30", Fraction(90)),
        ("start", 1e-5, Fraction(1, 100000)),
        ("start", np.float64(1.5), Fraction(3, 2)),
        ("start", Decimal("0.1"), Fraction(1, 10)),
        ("rate", Fraction(30000, 1001), Fraction(30000, 1001)),
        ("w", np.float64(0.5), 0.5),
        ("w", Fraction(1, 2), 0.5),
        ("min_face", np.int64(30), 30.0),
        ("batch", np.int32(2), 2),
        ("overwrite", np.True_, True),
        ("w", 1, 1.0),
        ("batch", 4, 4),
        ("profile", True, True),
        ("track_w", {1: 0.5}, ((1, 0.5),)),
        ("track_w", [(1, 0.5), "2=1"], ((1, 0.5), (2, 1.0))),
        ("track_w", "2=1", ((2, 1.0),)),
        ("track_w", (), ()),
        ("encoder_options", {"tune": "film"}, (("tune", "film"),)),
        ("encoder_options", [("x", 3)], (("x", "3"),)),
    ],
)
def test_python_values_are_converted(name, value, converted):
    found = convert(FIELDS[name], value)
    assert found == converted
    assert type(found) is type(converted)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("input", None, "input must be a path, not None"),
        ("input", 5, "input must be a path, not 5"),
        ("encoder_options", {"bf": None}, "--encoder-opt must be text or a number"),
        ("start", float("inf"), "-ss cannot be inf"),
        ("input", 5j, "input must be a path"),
        ("w", None, "--w must be text or a number, not None"),
        ("w", [0.5], r"--w must be text or a number, not \[0.5\]"),
        ("w", True, "--w must be text or a number, not True"),
        ("profile", 1, "--profile must be True or False, not 1"),
        ("profile", "true", "--profile must be True or False, not 'true'"),
        ("batch", 2.5, "--batch cannot be '2.5'"),
        ("start", float("nan"), "-ss cannot be nan"),
        ("min_face", float("nan"), "--min-face must be at least 0, not nan"),
        ("model", "best", "--model must be one of auto, codeformer, lite, face, gfpgan-1.4"),
        ("model", "my.pth", "not 'my.pth'; a file is given by --weights, and what enlarges pictures by"),
        ("track_w", 3, "--track-w cannot be '3'"),
    ],
)
def test_bad_python_values_are_named(name, value, message):
    with pytest.raises(UsageError, match=message):
        convert(FIELDS[name], value)


def test_the_name_in_messages_is_the_first_flag():
    assert [display_name(FIELDS[name]) for name in ("input", "rate", "w")] == ["input", "-r", "--w"]
