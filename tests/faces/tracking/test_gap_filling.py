"""Gaps between two sightings are filled, frame by frame."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.support.moving import face_points
from tests.support.scenes import scene
from vidrestore.faces.tracking.appearance import Appearance
from vidrestore.faces.tracking.gap_filling import (
    SHORT,
    SearchImage,
    Sighting,
    fill_gap,
    hidden_frames,
    occluding,
)

NO_BOXES = np.empty((0, 4))


def at(frame: int) -> tuple[float, float, float]:
    return 200 + 4 * frame, 200, 100


def sighting(frame: int) -> Sighting:
    picture = scene(("collins", *at(frame)))
    points = face_points(*at(frame))
    return Sighting(frame, points, Appearance.of(picture, points[2:]))


def picture(frame: int, what: str) -> SearchImage:
    """``F``: the face; ``.``: no face; ``H``: hidden by another face."""
    boxes = face_points(*at(frame))[:2].reshape(1, 4) if what == "H" else NO_BOXES
    return SearchImage(scene(("collins", *at(frame))) if what == "F" else scene(), boxes)


@pytest.mark.parametrize(
    ("gap", "expected"),
    [
        ("", "+"),
        ("F", "_+"),
        (".", "_+"),
        ("...", "___+"),
        ("H", "_!"),
        (".H.", "___!"),
        ("FFFF", "+++++"),
        ("....", "____!"),
        ("FF...FF", "++___+++"),
        ("FF....FF", "++____!++"),
        ("....FFFF", "____!++++"),
        ("FFFF....", "++++____!"),
        ("FFHFF", "++_!++"),
        ("HHHHH", "_____!"),
        ("F...F...F", "+___+___++"),
    ],
)
def test_frames_with_the_face_are_listed(gap, expected):
    """``+``: present; ``!``: present after an absence; ``_``: not listed."""
    assert SHORT == 3
    between = [picture(frame, what) for frame, what in enumerate(gap, 1)]
    present = fill_gap(sighting(0), sighting(len(gap) + 1), between)
    found = ["_"] * (len(gap) + 1)
    for frame, points, continuous in present:
        found[frame - 1] = "+" if continuous else "!"
        np.testing.assert_allclose(points, face_points(*at(frame)), atol=1.5)
    assert "".join(found) == expected


@pytest.mark.parametrize(("gap", "expected"), [("", []), ("F.F", [2]), ("..", [1, 2]), ("....", [])])
def test_what_passes_in_front_hides_the_face(gap, expected):
    between = [picture(frame, what) for frame, what in enumerate(gap, 1)]
    assert hidden_frames(sighting(0), sighting(len(gap) + 1), between) == expected


def test_a_blurred_or_noisy_face_is_not_hidden():
    """Detection leaves these out now and then."""
    image = scene(("collins", *at(1))).astype(np.float32)
    blurred = cv2.blur(image, (25, 1))
    noisy = image + np.random.default_rng(1).normal(0, 50, image.shape)
    dim = image / 8
    for changed in (blurred, noisy, dim):
        between = [SearchImage(changed.clip(0, 255).astype(np.uint8), NO_BOXES)]
        assert hidden_frames(sighting(0), sighting(2), between) == []


@pytest.mark.parametrize(
    ("label", "other", "expected"),
    [
        ("itself", (0, 0, 10, 10), True),
        ("half", (5, 0, 15, 10), True),
        ("a little", (8, 0, 18, 10), False),
        ("next to it", (20, 0, 30, 10), False),
        ("around it", (-50, -50, 50, 50), True),
        ("a small one in front", (4, 4, 6, 6), False),
    ],
)
def test_boxes_that_cover_another(label, other, expected):
    assert occluding(np.array([0.0, 0, 10, 10]), np.array([other, (99, 99, 100, 100)])).tolist() == [
        expected,
        False,
    ]
