"""Cuts are detected on their frame, in colour, grey and dark images, and nothing else is a cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vidrestore.faces.tracking.shots import ShotDetector

data = pytest.importorskip("skimage.data")
SIZE = (160, 96)


def view(name: str, x: float = 0.0, y: float = 0.0, zoom: float = 1.0) -> np.ndarray:
    """A BGR view of one of scikit-image's images, shifted by (x, y) times the size of the view."""
    picture = getattr(data, name)()[..., ::-1]
    scale = zoom * 1.5 * SIZE[0] / picture.shape[1]
    shift = (-0.15 - x) * SIZE[0], (-0.1 - y) * SIZE[1]
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(np.ascontiguousarray(picture), matrix, SIZE, borderMode=cv2.BORDER_REFLECT)


def cuts(frames: list[np.ndarray]) -> list[int]:
    detector = ShotDetector()
    return [index for index, frame in enumerate(frames) if detector(np.ascontiguousarray(frame))]


def grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)


def dark(frame: np.ndarray) -> np.ndarray:
    return (frame * 0.25).astype(np.uint8)


def between_bars(frame: np.ndarray) -> np.ndarray:
    """In the format of a telephone, between black bars in a wide frame, as recordings of screens have it."""
    wide = np.full_like(frame, 16)
    width = round(SIZE[1] * 9 / 16)
    left = (SIZE[0] - width) // 2
    wide[:, left : left + width] = cv2.resize(frame, (width, SIZE[1]), interpolation=cv2.INTER_AREA)
    return wide


VARIANTS = {
    "colour": lambda frame: frame,
    "between bars": between_bars,
    "grey between bars": lambda frame: between_bars(grey(frame)),
    "dark between bars": lambda frame: between_bars(dark(frame)),
    "grey": grey,
    "dark": dark,
    "dark grey": lambda frame: dark(grey(frame)),
}
SHOTS = [
    ("astronaut", 7),
    ("coffee", 1),
    ("chelsea", 9),
    ("rocket", 2),
    ("astronaut", 6),
]


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_cut_is_detected_on_its_frame(variant):
    frames = [
        VARIANTS[variant](view(name, x=0.01 * t, y=0.005 * t))
        for name, length in SHOTS
        for t in range(length)
    ]
    starts = np.cumsum([0] + [length for _, length in SHOTS[:-1]])
    assert cuts(frames) == starts.tolist()


def noisy(frame: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(int(frame.sum()) % 1000).normal(0, deviation, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def brighter(frame: np.ndarray, factor: float, offset: float = 0) -> np.ndarray:
    return np.clip(frame * float(factor) + offset, 0, 255).astype(np.uint8)


STILL = view("astronaut")
ONE_SHOT = {
    "still": [STILL] * 5,
    "fast pan": [view("astronaut", x=0.06 * t) for t in range(8)],
    "tilt": [view("coffee", y=0.06 * t) for t in range(6)],
    "zoom": [view("astronaut", zoom=1 + 0.03 * t) for t in range(8)],
    "noise": [noisy(STILL + np.uint8(t), 20) for t in range(6)],
    "dark noise": [noisy(dark(STILL) + np.uint8(t), 6) for t in range(6)],
    "flash": [STILL, STILL, brighter(STILL, 1, 100), brighter(STILL, 1, 50), STILL],
    "lightning": [STILL, brighter(STILL, 2.4, 60), STILL, brighter(STILL, 2.6, 80), STILL],
    "lamp from one side": [
        (STILL * np.linspace(1 - side, 1 + side, SIZE[0])[:, None]).clip(0, 255).astype(np.uint8)
        for side in (0.0, 0.7, -0.7, 0.6, -0.8)
    ],
    "fade to black and back": [brighter(STILL, 1 - t / 20) for t in [*range(18), *range(18)[::-1]]],
    "dissolve": [
        cv2.addWeighted(STILL, 1 - t / 12, view("coffee"), t / 12, 0) for t in range(13)
    ],
    "black": [np.zeros_like(STILL)] * 4,
}  # fmt: skip


@pytest.mark.parametrize("level", [0, 16, 128, 235])
def test_a_slate_with_a_line_of_text_is_a_shot(level):
    slate = np.full_like(STILL, level)
    cv2.putText(slate, "01:02:03:04", (40, 92), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (200, 90, 120), 1)
    assert cuts([slate] * 3 + [STILL] * 3 + [slate] * 2 + [view("coffee")] * 2) == [0, 3, 6, 8]


@pytest.mark.parametrize("bars", [False, True], ids=["whole", "between bars"])
@pytest.mark.parametrize("name", ONE_SHOT)
def test_nothing_else_is_a_cut(name, bars):
    assert cuts([between_bars(frame) if bars else frame for frame in ONE_SHOT[name]]) == [0]


@pytest.mark.parametrize("strength", [60, 100, 140, 180, 220])
@pytest.mark.parametrize("lit", [(5,), (6,), (5, 6)], ids=["before", "after", "both"])
def test_cuts_under_flashes_are_detected_on_their_frame(lit, strength):
    """The flash lights the last frame of one shot, the first of the next, or both.

    A flash so strong that its frame has no structure may make that frame a shot of its own, but no other.
    """
    frames = [view("astronaut" if t < 6 else "coffee", x=0.005 * t) for t in range(12)]
    found = cuts([brighter(frame, 1, strength) if t in lit else frame for t, frame in enumerate(frames)])
    assert {0, 6} <= set(found) <= {0, 5, 6, 7}


def test_a_strobe_is_not_a_cut():
    frames = [view("astronaut", x=0.005 * t) for t in range(12)]
    assert cuts([brighter(frame, 1, 110) if t % 2 else frame for t, frame in enumerate(frames)]) == [0]


@pytest.mark.parametrize("speed", [0.06, 0.1, 0.12])
def test_a_whip_pan_is_not_a_cut(speed):
    """Up to an eighth of the image per frame, with the motion blur of a 360-degree shutter."""
    places = [[speed * (t + part / 8) - 0.4 for part in range(8)] for t in range(6)]
    blurred = [np.mean([view("astronaut", x) for x in way], axis=0).astype(np.uint8) for way in places]
    still = [[view("astronaut", x)] * 2 for x in (places[0][0], places[-1][-1])]
    assert cuts([*still[0], *blurred, *still[1]]) == [0]


def test_black_between_shots_is_a_shot():
    black = np.zeros_like(STILL)
    assert cuts([STILL, STILL, black, black, view("coffee"), view("coffee")]) == [0, 2, 4]


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (960, 540), (360, 640)])
def test_any_size(size):
    picture, other = (cv2.resize(view(name), size) for name in ("astronaut", "chelsea"))
    assert cuts([picture, picture]) == [0]
    if min(size) > 7:
        assert cuts([picture, picture, other]) == [0, 2]
