"""Sample values as R'G'B' and back, for each matrix, range and bit depth."""

from __future__ import annotations

import pytest
import torch

from vidrestore.media.frames.colour import Colour, ColourTags


@pytest.mark.parametrize(
    ("matrix", "full", "code", "rgb"),
    [
        # Nominal black, white and 75 % bars, 8-bit limited: the values of BT.709 and BT.601 colour bars.
        (1, 1, (16, 128, 128), (0, 0, 0)),
        (1, 1, (235, 128, 128), (1, 1, 1)),
        (1, 1, (51, 109, 212), (0.75, 0, 0)),
        (1, 1, (133, 63, 52), (0, 0.75, 0)),
        (6, 1, (65, 100, 212), (0.75, 0, 0)),
        (6, 1, (112, 72, 58), (0, 0.75, 0)),
        (1, 2, (0, 128, 128), (0, 0, 0)),
        (1, 2, (255, 128, 128), (1, 1, 1)),
        (5, 2, (76, 85, 255), (1, 0, 0)),
    ],
)
def test_matrices_and_ranges(matrix, full, code, rgb):
    colour = Colour.from_tags(ColourTags(matrix=matrix, range=full), 720, 576)
    value = torch.tensor(code, dtype=torch.float32).view(3, 1, 1)
    found = colour.yuv_to_rgb(value, 8).flatten()
    assert found.tolist() == pytest.approx(rgb, abs=0.006)
    assert colour.rgb_to_yuv(found.view(3, 1, 1), 8).flatten().tolist() == pytest.approx(code, abs=1e-3)


def test_ten_bits_are_eight_bits_times_four():
    colour = Colour.from_tags(ColourTags(matrix=9, range=1), 3840, 2160)
    value = torch.tensor([120.0, 90.0, 150.0]).view(3, 1, 1)
    assert torch.allclose(colour.yuv_to_rgb(value, 8), colour.yuv_to_rgb(value * 4, 10), atol=1e-6)


@pytest.mark.parametrize(
    ("width", "height", "kr"),
    [(720, 576, 0.299), (640, 360, 0.299), (1280, 720, 0.2126), (1920, 1080, 0.2126)],
)
def test_an_untagged_matrix_is_guessed_as_players_do(width, height, kr):
    colour = Colour.from_tags(ColourTags(), width, height)
    assert (colour.kr, colour.guessed) == (kr, True)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({"matrix": 6}, {"matrix": 1}, ["matrix"]),
        ({"matrix": 5, "transfer": 6}, {"matrix": 6, "transfer": 1}, []),  # of the same meaning
        ({"matrix": 6, "range": 0}, {"matrix": 2, "range": 2}, []),  # one says nothing
        ({"primaries": 1, "range": 1}, {"primaries": 9, "range": 2}, ["primaries", "range"]),
    ],
)
def test_tags_contradict_each_other_only_where_both_say_something(one, other, expected):
    assert ColourTags(**one).contradictions(ColourTags(**other)) == expected


def test_an_untagged_part_shows_as_what_is_guessed_for_it():
    tagged, full = ColourTags(matrix=5, range=1), ColourTags(matrix=5, range=2)
    untagged = Colour.from_tags(ColourTags(), 720, 576)
    assert Colour.from_tags(tagged, 720, 576).shows_as(untagged)
    assert not Colour.from_tags(full, 720, 576).shows_as(untagged)
    assert not Colour.from_tags(tagged, 1280, 720).shows_as(Colour.from_tags(ColourTags(), 1280, 720))
