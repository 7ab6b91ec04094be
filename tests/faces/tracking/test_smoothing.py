"""Smoothing on known paths: still faces are held still, moving ones are followed without lag."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.moving import error, face_points, jitter
from vidrestore.faces.tracking.smoothing import REACH, smooth

FRAMES = np.arange(120)


def smoothed(frames: np.ndarray, points: np.ndarray, at: np.ndarray) -> np.ndarray:
    return np.stack([smooth(frames, points, frame) for frame in at])


def path(x: np.ndarray, y: np.ndarray | float = 200.0, size: np.ndarray | float = 100.0) -> np.ndarray:
    every = np.broadcast_arrays(x, y, size)
    return np.stack([face_points(*values) for values in zip(*every, strict=True)])


PATHS = {
    "still": path(np.full(120, 300.0)),
    "velocity": path(100 + 4.0 * FRAMES),
    "acceleration": path(100 + 0.05 * FRAMES**2),
    "zoom": path(np.full(120, 300.0), size=100 * np.exp(0.4 * np.sin(FRAMES / 12))),
    "sway": path(300 + 60 * np.sin(2 * np.pi * FRAMES / 50), 200 + 10 * np.cos(2 * np.pi * FRAMES / 35)),
    "nod": path(np.full(120, 300.0), 200 + 12 * np.sin(2 * np.pi * FRAMES / 20)),
    "shake": path(300 + 8 * np.sin(2 * np.pi * FRAMES / 10)),
    "jerk": path(300 + 60 * np.clip((FRAMES - 60) / 4, 0, 1)),
    "run": path(50 + 25.0 * FRAMES),
    "stop": path(300 + 12.0 * np.minimum(FRAMES - 60, 0)),
    "turn back": path(300 + 8.0 * np.abs(FRAMES - 60)),
    "jump": path(300 + 40.0 * (FRAMES >= 60)),
}


@pytest.mark.parametrize("name", ["still", "velocity", "acceleration"])
def test_quadratic_motion_is_left_unchanged(name):
    np.testing.assert_allclose(smoothed(FRAMES, PATHS[name], FRAMES), PATHS[name], atol=1e-3)


# Upper bounds for the jitter and error that remain, over all frames and in the worst frame; those of an
# observation are 1 pixel.
@pytest.mark.parametrize(
    ("name", "jitter_left", "error_left", "worst"),
    [
        ("still", 0.04, 0.45, 1.2),
        ("velocity", 0.04, 0.45, 1.2),
        ("acceleration", 0.04, 0.45, 1.2),
        ("zoom", 0.04, 0.45, 1.2),
        ("sway", 0.05, 0.55, 1.3),
        ("nod", 0.2, 0.75, 1.3),
        ("shake", 0.4, 1.0, 1.8),
        ("jerk", 0.35, 0.6, 2.5),
        ("run", 0.04, 0.45, 1.2),
        ("stop", 0.2, 0.55, 2.2),
        ("turn back", 0.25, 0.6, 2.4),
        ("jump", 0.3, 0.55, 1.9),
    ],
)
def test_noise_is_reduced_and_motion_kept(name, jitter_left, error_left, worst):
    truth = PATHS[name]
    seen = truth + np.random.default_rng(0).normal(0, 1, truth.shape)
    result = smoothed(FRAMES, seen, FRAMES)
    assert jitter(seen, truth) == pytest.approx(1, abs=0.1)
    assert jitter(result, truth) < jitter_left
    assert error(result, truth) < error_left
    assert max(map(error, result, truth)) < worst


@pytest.mark.parametrize("name", ["velocity", "sway", "nod", "shake", "jerk", "run", "stop", "turn back"])
def test_fast_motion_has_no_lag(name):
    """The true path fits the result better than the same path shifted by part of a frame."""
    rng = np.random.default_rng(1)
    truth = PATHS[name]
    result = smoothed(FRAMES, truth + rng.normal(0, 1, truth.shape), FRAMES)
    speed = np.gradient(truth, axis=0)
    lag = -np.sum((result - truth) * speed) / np.sum(speed**2)
    assert abs(lag) < 0.03  # frames


@pytest.mark.parametrize("length", [1, 4, 10])
@pytest.mark.parametrize(("name", "tolerance"), [("still", 0.5), ("velocity", 0.5), ("sway", 3.0)])
def test_gaps_are_filled_from_both_sides(name, tolerance, length):
    truth = PATHS[name]
    seen = truth + np.random.default_rng(2).normal(0, 0.5, truth.shape)
    gap = np.arange(60, 60 + length)
    kept = np.setdiff1d(FRAMES, gap)
    assert error(smoothed(kept, seen[kept], gap), truth[gap]) < tolerance


@pytest.mark.parametrize("name", ["still", "velocity", "sway", "nod"])
def test_a_single_outlier_is_ignored(name):
    truth = PATHS[name]
    seen = truth + np.random.default_rng(3).normal(0, 0.5, truth.shape)
    seen[60, 2:] += (25, -15)
    assert error(smoothed(FRAMES, seen, np.array([60]))[:, 2:], truth[60, 2:]) < 2.0
    # Neither does it affect the frames next to it.
    adjacent = np.array([57, 58, 59, 61, 62, 63])
    assert error(smoothed(FRAMES, seen, adjacent), truth[adjacent]) < 1.0


def test_landmarks_do_not_depend_on_the_box():
    truth = PATHS["still"]
    seen = truth + np.random.default_rng(4).normal(0, 0.5, truth.shape)
    wild = seen.copy()
    wild[:, :2] += np.random.default_rng(5).normal(0, 3, (120, 2, 2))
    np.testing.assert_allclose(smooth(FRAMES, wild, 60)[2:], smooth(FRAMES, seen, 60)[2:])


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_few_observations_are_enough(count):
    frames = np.arange(count)
    for at in frames:
        found = smooth(frames, PATHS["velocity"][:count], at)
        np.testing.assert_allclose(found, PATHS["velocity"][at], atol=1e-3)


def test_two_observations_are_interpolated_linearly():
    frames = np.array([10, 16])
    np.testing.assert_allclose(
        smooth(frames, PATHS["velocity"][frames], 13), PATHS["velocity"][13], atol=1e-2
    )


def test_observations_out_of_reach_have_no_effect():
    seen = PATHS["sway"] + np.random.default_rng(6).normal(0, 1, PATHS["sway"].shape)
    near = np.abs(FRAMES - 60) <= REACH
    np.testing.assert_array_equal(smooth(FRAMES, seen, 60), smooth(FRAMES[near], seen[near], 60))
