"""Roll, turned boxes, and whether landmarks fit a face."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.moving import face_points
from vidrestore.faces.geometry import (
    centre,
    face_size,
    fit,
    median_roll,
    overlap,
    roll,
    roll_between,
    turned_box,
)

BOX, LANDMARKS = np.split(face_points(300, 200), [2])
BOX = BOX.ravel()


def turned(points: np.ndarray, degrees: float) -> np.ndarray:
    """``points`` turned clockwise around the centre of the face."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (points - (300, 200)) @ turn.T + (300, 200)


ANGLES = [*range(-150, 181, 30)]


@pytest.mark.parametrize("angle", ANGLES)
def test_roll_is_the_angle_of_the_face(angle):
    assert roll_between(roll(turned(LANDMARKS, angle)), np.radians(angle)) < 1e-6


def test_roll_of_a_profile_is_that_of_its_eyes_and_mouth():
    """Its eyes coincide, and noise decides in which order they are found."""
    profile = LANDMARKS.copy()
    profile[:2] = profile[:2].mean(axis=0)
    profile[0, 0] += 1
    assert abs(np.degrees(roll(turned(profile, 40)))) == pytest.approx(40, abs=2)


def test_the_angle_between_rolls_is_the_short_way():
    assert roll_between(np.radians(170), np.radians(-170)) == pytest.approx(np.radians(20))


@pytest.mark.parametrize("angle", ANGLES)
def test_a_face_fits_at_any_roll(angle):
    assert fit(turned_box(BOX, np.radians(angle)), turned(LANDMARKS, angle)) == 1


def changed(rows: list[int], to: np.ndarray | list[int]) -> np.ndarray:
    points = LANDMARKS.copy()
    points[rows] = points[to] if isinstance(to, list) else to
    return points


UNFIT = {
    "bunched at the nose": LANDMARKS[2] + 0.3 * (LANDMARKS - LANDMARKS[2]),
    "mirrored": LANDMARKS[[1, 0, 2, 4, 3]],
    "the mouth above the nose": changed([3, 4], LANDMARKS[[3, 4]] - (0, 25)),
    "the nose above the eyes": changed([2], LANDMARKS[2] - (0, 32)),
    "beside the box": LANDMARKS + np.array([45, 0]),
    "all in one point": np.tile(LANDMARKS[2], (5, 1)),
}


@pytest.mark.parametrize("angle", [0, 90, 180])
@pytest.mark.parametrize("label", UNFIT)
def test_points_that_are_not_a_face_do_not_fit(label, angle):
    assert fit(turned_box(BOX, np.radians(angle)), turned(UNFIT[label], angle)) == 0


HEADS = {
    "turned aside": (0.3, 1.0),
    "looking down": (1.0, 0.8),
    "in profile": (0.15, 1.0),
}


@pytest.mark.parametrize("head", HEADS)
def test_heads_that_are_turned_fit(head):
    """The landmarks come closer together, across or along the face."""
    assert fit(BOX, (LANDMARKS - LANDMARKS[2]) * HEADS[head] + LANDMARKS[2]) == 1


def test_the_fit_fades():
    shares = [
        fit(BOX, LANDMARKS[2] + share * (LANDMARKS - LANDMARKS[2])) for share in np.linspace(0.3, 1, 50)
    ]
    assert shares == sorted(shares)
    assert sum(0 < share < 1 for share in shares) >= 3


@pytest.mark.parametrize(
    ("rolls", "median"),
    [([30], 30), ([-5, 0, 80], 0), ([179, -179, 178, -178], 180), ([175, -175, -170], -175), ([-180], 180)],
)
def test_the_median_of_rolls_goes_around(rolls, median):
    found = median_roll(np.radians(rolls))
    assert -np.pi < found <= np.pi
    assert roll_between(found, np.radians(median)) < 1e-6


def test_turned_boxes():
    upright, lying = turned_box(BOX, 0), turned_box(BOX, np.pi / 2)
    np.testing.assert_allclose(upright, BOX)
    np.testing.assert_allclose(lying[2:] - lying[:2], (BOX[2:] - BOX[:2])[::-1])
    for angle in np.radians(ANGLES):
        box = turned_box(BOX, angle)
        np.testing.assert_allclose(centre(box), (300, 200))
        assert 0.99 * face_size(BOX) < face_size(box) < 1.1 * face_size(BOX)


def test_overlap_is_the_share_of_the_smaller_box():
    assert overlap(np.array([0, 0, 10, 10]), np.array([5, 0, 105, 100])) == pytest.approx(0.5)
    assert overlap(np.array([0, 0, 10, 10]), np.array([20, 0, 30, 10])) == 0
