"""Landmark jitter: known offsets, and a real clip compared with itself."""

from pathlib import Path

import numpy as np
import pytest

from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.faces.detection.load import load_detector
from vidrestore.faces.face import Face
from vidrestore.measure.landmarks import JitterMeter, landmark_jitter
from vidrestore.media.timeline import Span

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


def face(points: np.ndarray, track: int = 1) -> Face:
    return Face(track, np.zeros(4, np.float32), points)


def jitter(offsets: list[np.ndarray | None], *, zoom: float = 1.0, frames: list[int] | None = None) -> float:
    """The jitter of an accelerating face, ``zoom`` times as large as the template, whose landmarks are
    displaced by ``offsets``; None is a frame without a detection."""
    meter = JitterMeter(1)
    for frame, offset in zip(frames or range(len(offsets)), offsets, strict=True):
        points = zoom * TEMPLATE + frame**2 * np.array([3.0, -1.0])
        found = [] if offset is None else [points + 900, points + offset]
        meter.add(frame, face(points), [found], [[points + 1]])
    figures = meter.figures()
    raw = figures["raw_jitter"]
    assert np.isnan(raw).all() or raw == pytest.approx(0, abs=1e-9)
    return float(figures["jitter"][0])


SHAKE = np.array([1.5, 2.0])  # of 2.5 pixels


@pytest.mark.parametrize(
    ("offsets", "wanted"),
    [
        ([SHAKE] * 5, 0),
        ([i * SHAKE for i in range(5)], 0),
        ([i**2 * SHAKE for i in range(5)], 2 * 2.5),
        ([(-1) ** i * SHAKE for i in range(6)], 4 * 2.5),
        ([0 * SHAKE, 0 * SHAKE, SHAKE], 2.5),
        ([0 * SHAKE, 0 * SHAKE, SHAKE, None, SHAKE, SHAKE], 2.5),
        ([SHAKE, None] * 3, np.nan),
        ([80 * SHAKE] * 4, np.nan),
    ],
    ids=[
        "constant offset",
        "constant drift",
        "acceleration",
        "alternating",
        "one step",
        "a gap",
        "never three in a row",
        "another face",
    ],
)
def test_second_differences(offsets: list[np.ndarray | None], wanted: float) -> None:
    assert jitter(offsets) == pytest.approx(wanted, nan_ok=True)


def test_the_unit_is_a_pixel_of_an_aligned_face() -> None:
    offsets = [(-1) ** i * SHAKE for i in range(6)]
    assert jitter(offsets, zoom=0.25) == pytest.approx(4 * 10)


def test_frames_without_a_face_in_the_reference() -> None:
    offsets = [(-1) ** i * SHAKE for i in range(4)]
    assert np.isnan(jitter(offsets, frames=[0, 1, 3, 4]))


def test_a_clip_compared_with_itself() -> None:
    detector = load_detector("retinaface_mobile0.25", "cpu")
    found = landmark_jitter(SAMPLE, [SAMPLE], detector, span=Span(end=1))
    assert found["jitter"] == pytest.approx(0, abs=1e-6)
    # Raw detections scatter around the smoothed track.
    assert 0.05 < found["raw_jitter"][0] < 10
