"""The figures over time, for clips whose figures are known."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch

from vidrestore.measure.clips import ClipFace
from vidrestore.measure.steadiness import PARTS, StaticFlicker, SteadinessMeter, visible, warp_back

SIZE = 128
FRAMES = 6


def texture(shift: tuple[float, float] = (0, 0), size: int = SIZE) -> np.ndarray:
    """An image (S, S, 3) float32 between 60 and 200, moved by ``shift``."""
    noise = np.random.default_rng(5).uniform(0, 1, (2 * size, 2 * size, 3)).astype(np.float32)
    smooth = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 60, 200, cv2.NORM_MINMAX)
    move = np.float32([[1, 0, shift[0] - size / 2], [0, 1, shift[1] - size / 2]])
    return cv2.warpAffine(smooth, move, (size, size), flags=cv2.INTER_CUBIC)


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.rint(image).clip(0, 255).astype(np.uint8)).permute(2, 0, 1)


def face(frame: int, clean: np.ndarray, *images: np.ndarray, track: int = 1) -> ClipFace:
    return ClipFace(frame, track, tensor(clean), torch.stack([tensor(p) for p in images]))


def measured(faces: Sequence[ClipFace]) -> dict[str, np.ndarray]:
    meter = SteadinessMeter(SIZE)
    for one in faces:
        meter.add(one)
    return meter.figures()


def box(part: str, number: int = 0) -> tuple[slice, slice]:
    left, top, right, bottom = (round(v * SIZE / 512) for v in PARTS[part][number])
    return slice(top, bottom), slice(left, right)


def test_brightness_that_alternates_by_plus_minus_2_flickers_by_4() -> None:
    still = texture()
    found = measured([face(i, still, still, still + 2 * (-1) ** i, still + 2) for i in range(FRAMES)])
    assert found["flicker"] == pytest.approx([0, 4, 0], abs=1e-4)
    # Nothing moves, so motion compensation changes nothing.
    assert found["warping"] == pytest.approx([0, 4, 0], abs=1e-4)
    assert found["face_psnr"][1:] == pytest.approx(20 * np.log10(255 / 2), abs=1e-4)


@pytest.mark.parametrize("step", [(2, 0), (-1, 3), (0.6, -1.4)])
def test_warping_compensates_the_motion_of_the_clean_face(step: tuple[float, float]) -> None:
    """An error that moves with the face does not count, however large; an error that stays in place does."""
    moved = [texture((i * step[0], i * step[1])) for i in range(FRAMES)]
    stuck = [m + 6 * np.sign(texture((9, 9)) - 130) for m in moved]
    found = measured(
        [face(i, m, m, m + 20, 255 - m, s) for i, (m, s) in enumerate(zip(moved, stuck, strict=True))]
    )
    same, brighter, inverted, overlaid = found["warping"]
    assert same == 0
    assert brighter == pytest.approx(0, abs=0.01)
    assert inverted == pytest.approx(0, abs=0.01)
    assert overlaid > 0.5
    assert found["flicker"][:2] == pytest.approx([0, 0], abs=1e-3)


def test_warp_back_undoes_the_motion() -> None:
    flow = np.broadcast_to(np.float32([2, -3]), (SIZE, SIZE, 2)).copy()
    back = warp_back(texture((2, -3)), flow)
    assert np.abs(back - texture())[8:-8, 8:-8].max() < 0.01


def test_occluded_pixels_are_excluded() -> None:
    there, back = np.zeros((2, SIZE, SIZE, 2), np.float32)
    back[:, 64:] = (0, 9)  # the next frame's content there came from elsewhere
    seen = visible(there, back)
    assert seen[:, :64].all()
    assert not seen[:, 64:].any()
    there[:, :, 0], back[:, :, 0] = 30, -29.5
    back[:, :, 1] = 0
    assert visible(there, back).all(), "a small error of a large motion is not an occlusion"


@pytest.mark.parametrize(
    ("frames", "tracks", "pairs"),
    [
        ([0, 1, 2], [1, 1, 1], 2),
        ([0, 1, 3, 4], [1, 1, 1, 1], 2),
        ([0, 1, 2], [1, 1, 2], 1),
        ([0, 0, 1, 1], [1, 2, 1, 2], 2),
        ([0, 2], [1, 1], 0),
    ],
    ids=["one track", "a gap", "a new track", "two tracks", "never two in a row"],
)
def test_pairs(frames: list[int], tracks: list[int], pairs: int) -> None:
    meter = SteadinessMeter(SIZE)
    still = texture()
    for frame, track in zip(frames, tracks, strict=True):
        # Every track has its own brightness, which is not flicker.
        meter.add(face(frame, still, still + 5 * track, track=track))
    series = meter.series()
    assert len(series.get("flicker", [])) == len(series.get("warping", [])) == pairs
    assert not pairs or meter.figures()["flicker"] == pytest.approx(0, abs=1e-4)
    assert ("flicker" in meter.figures()) == bool(pairs)


@pytest.mark.parametrize("part", PARTS)
def test_a_ghost_counts_only_in_parts_that_move(part: str) -> None:
    """Nine frames, in three of which the part moves; one method shows the previous frame."""
    moves = {3: 40, 4: -40, 7: 25}
    clean, value = [], 100.0
    for i in range(9):
        picture = texture()
        value += moves.get(i, 0)
        for number in range(len(PARTS[part])):
            picture[box(part, number)] = value
        clean.append(picture)
    late = [clean[max(0, i - 1)] for i in range(9)]
    # Wrong by 10, but only in frames in which nothing moves.
    elsewhere = [c + 10 for c in clean]
    for i in moves:
        elsewhere[i] = clean[i]
    found = measured(
        [face(i, c, a, b) for i, (c, a, b) in enumerate(zip(clean, late, elsewhere, strict=True))]
    )
    assert found[part] == pytest.approx([(40 + 40 + 25) / 3, 0], abs=1e-4)
    other = next(name for name in PARTS if name != part)
    assert other not in found, "nothing moves there"


def test_static_flicker_is_the_deviation_of_the_noise() -> None:
    rng = np.random.default_rng(1)
    flicker = StaticFlicker(SIZE)
    still = texture()
    for _ in range(40):
        noisy = (still + rng.normal(0, sigma, still.shape) for sigma in (0, 3, 8))
        flicker.add(torch.stack([tensor(p) for p in noisy]))
    assert flicker.result() == pytest.approx([0, 3, 8], rel=0.02)


def test_static_flicker_is_measured_in_the_oval_only() -> None:
    flicker = StaticFlicker(SIZE)
    for value in (0, 200):
        border = np.full((SIZE, SIZE, 3), value, np.float32)
        border[2:-2, 2:-2] = 90
        flicker.add(tensor(border)[None])
    assert flicker.result() == pytest.approx([0], abs=0.05)


def test_a_deviation_needs_two_frames() -> None:
    flicker = StaticFlicker(SIZE)
    flicker.add(tensor(texture())[None])
    with pytest.raises(ValueError, match="at least 2 frames, not 1"):
        flicker.result()
