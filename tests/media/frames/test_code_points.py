"""Names of colour tags are those that ffmpeg prints."""

from __future__ import annotations

import pytest

from tests.support import reader
from tests.support.frames import clip
from vidrestore.media.frames.code_points import colour_names


def test_names_of_tags():
    names = colour_names(colour_range=1, matrix=9, primaries=9, transfer=16)
    assert names == {
        "range": "limited",
        "matrix": "bt2020nc",
        "primaries": "bt2020",
        "transfer": "smpte2084",
    }


@pytest.mark.parametrize("number", [-1, 2, 99])
def test_what_is_not_tagged_has_no_name(number):
    assert set(colour_names(colour_range=0, matrix=number, primaries=number, transfer=number).values()) == {
        None
    }


@pytest.mark.parametrize(
    ("colour_range", "matrix", "primaries", "transfer"),
    [(1, 1, 1, 1), (2, 5, 5, 6), (1, 6, 6, 6), (1, 7, 7, 7), (1, 9, 9, 16), (1, 9, 9, 18), (2, 1, 12, 13)],
)
def test_names_are_those_of_ffmpeg(tmp_path, colour_range, matrix, primaries, transfer):
    tags = {
        "color_range": colour_range,
        "colorspace": matrix,
        "color_primaries": primaries,
        "color_trc": transfer,
    }
    shown = reader.show(clip(tmp_path / "in.mkv", count=1, codec="ffv1", tags=tags))
    assert colour_names(colour_range=colour_range, matrix=matrix, primaries=primaries, transfer=transfer) == {
        "range": {"tv": "limited", "pc": "full"}[shown.range],
        "matrix": shown.matrix,
        "primaries": shown.primaries,
        "transfer": shown.transfer,
    }
