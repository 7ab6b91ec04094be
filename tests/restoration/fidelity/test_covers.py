"""What lies over a face is found, and nothing that is the face's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.support.degraded_faces import real_faces
from tests.support.overlays import OVERLAYS, overlaid
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.covers import SIDE, STRONG, any_strong, find_covers, shown_share

#: Of the faces of each portrait those at medium and heavy degradation: clean and mild ones may be sharp.
DEGRADED = (2, 3, 6, 7)


def find(images: torch.Tensor) -> list[np.ndarray]:
    return find_covers(images, [1.0] * len(images), [TEMPLATE] * len(images))


def test_a_face_alone_has_no_cover():
    faces = real_faces()
    noisy = (faces + 0.06 * torch.randn(faces.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    for images in (faces[[1, 2, 3, 5, 6, 7]], noisy):
        assert not any(map(any_strong, find(images)))


@pytest.mark.parametrize("name", OVERLAYS)
def test_what_lies_over_a_face_is_found(name):
    faces = real_faces()[list(DEGRADED)]
    pairs = [overlaid(face, name) for face in faces]
    for cover, (_, area) in zip(find(torch.stack([image for image, _ in pairs])), pairs, strict=True):
        inside = cv2.resize(area, (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 0.5
        assert (cover[inside] == STRONG).mean() > 0.7
        around = cv2.dilate((area > 0).astype(np.uint8), np.ones((61, 61), np.uint8))
        far = cv2.resize(around, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST) == 0
        assert (cover[far] == STRONG).mean() < 0.001


@pytest.mark.parametrize("value", [0.0, 1.0], ids=["black", "white"])
@pytest.mark.parametrize(
    "points", [((153, 40), (155, 313)), ((206, 66), (200, 320))], ids=["upright", "slanting"]
)
def test_a_line_one_pixel_wide_is_found_in_grain(points, value):
    """The frame's pixels are larger than those of the aligned face."""
    area = cv2.line(np.zeros((342, 342), np.uint8), *points, 230, 1)
    line = torch.from_numpy(area)[None] / 255
    images, generator = [], torch.Generator().manual_seed(0)
    for face in real_faces()[list(DEGRADED)]:
        small = F.interpolate(face[None], (342, 342), mode="area")[0]
        grain = F.avg_pool2d(torch.randn(1, 343, 343, generator=generator), 2, 1) * 20 / 255
        small = (small + grain).clamp(0, 1)
        images += [small, small.lerp(torch.full_like(small, value), line)]
    images = F.interpolate(torch.stack(images), (512, 512), mode="bilinear", align_corners=False)
    plain, lined = find(images[::2]), find(images[1::2])
    assert not any(map(any_strong, plain))
    inside = cv2.resize(area, (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 90
    for cover in lined:
        assert (cover[inside] == STRONG).mean() > 0.7
        assert (cover == STRONG).mean() < 0.05


def _grainy(draw, colour: float, opacity: float, deviation: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Where ``draw`` draws, on a map of covers; and the covers of faces with that and grain, scaled up."""
    area = np.zeros((342, 342), np.uint8)
    draw(area)
    share = torch.from_numpy(area)[None] / 255 * opacity
    images, generator = [], torch.Generator().manual_seed(0)
    for face in real_faces()[list(DEGRADED)]:
        small = F.interpolate(face[None], (342, 342), mode="area")[0]
        grain = F.avg_pool2d(torch.randn(1, 343, 343, generator=generator), 2, 1) * 2 * deviation / 255
        images.append((small.lerp(torch.full_like(small, colour), share) + grain).clamp(0, 1))
    images = F.interpolate(torch.stack(images), (512, 512), mode="bilinear", align_corners=False)
    return cv2.resize(area, (SIDE, SIDE), interpolation=cv2.INTER_AREA), find(images)


def _dropouts(area: np.ndarray) -> None:
    for x, y in ((102, 136), (153, 177), (119, 225), (171, 256), (85, 198)):
        cv2.line(area, (x, y), (x + 60, y), 255, 1)


@pytest.mark.parametrize(
    ("draw", "opacity", "deviation", "wanted"),
    [
        (lambda area: cv2.circle(area, (220, 200), 34, 255, 4, cv2.LINE_AA), 0.6, 8, 0.7),
        (_dropouts, 0.9, 10, 0.6),
    ],
    ids=["half transparent logo", "short drop-outs"],
)
def test_what_lies_over_a_grainy_face_is_compared_with_its_grain(draw, opacity, deviation, wanted):
    """Grain has no outliers as edges have, so what is much stronger than all of it is no grain."""
    area, covers = _grainy(draw, 1.0, opacity, deviation)
    for cover in covers:
        assert (cover[area > 130] == STRONG).mean() > wanted
        assert (cover[cv2.dilate(area, np.ones((25, 25))) == 0] == STRONG).mean() < 0.002


@pytest.mark.parametrize("deviation", [5, 12, 20])
def test_grain_alone_is_no_cover(deviation):
    _, covers = _grainy(lambda area: None, 1.0, 0.0, deviation)
    assert not any(map(any_strong, covers))


def test_the_face_between_letters_is_not_covered():
    area = np.zeros((512, 512), np.uint8)
    for i, letter in enumerate("TILL"):
        cv2.putText(area, letter, (140 + 64 * i, 350), cv2.FONT_HERSHEY_SIMPLEX, 2, 255, 6, cv2.LINE_AA)
    letters = torch.from_numpy(area)[None] / 255
    rows, columns = (slice(axis.min() // 2, axis.max() // 2) for axis in np.nonzero(area))
    beside = cv2.dilate(area, np.ones((15, 15))) == 0
    beside = cv2.resize(beside.astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST) > 0
    on = cv2.resize(area, (SIDE, SIDE), interpolation=cv2.INTER_AREA) > 130
    faces = real_faces()[list(DEGRADED)]
    for cover in find(faces.lerp(torch.ones_like(faces), letters)):
        assert (cover[on] == STRONG).mean() > 0.95
        between = cover[rows, columns][beside[rows, columns]]
        assert len(between) > 250
        assert (between == STRONG).mean() < 0.1


def test_what_does_not_lie_over_the_face_does_not_count():
    face = real_faces()[2]
    for left, found in ((8, False), (250, True)):
        image = face.clone()
        image[:, 40:480, left : left + 3] = 1.0
        assert any_strong(find(image[None])[0]) == found


def test_the_edges_of_a_mask_are_found():
    face = real_faces()[3].clone()
    face[:, 310:450, 150:370] = torch.tensor([0.6, 0.75, 0.8])[:, None, None]
    [cover] = find(face[None])
    assert (cover[154:157, 80:180] == STRONG).all()
    assert (cover[165:215, 90:170] != STRONG).mean() > 0.9


def test_covers_do_not_depend_on_the_batch():
    images = torch.stack([overlaid(face, "white text")[0] for face in real_faces()[:3]])
    for alone, together in zip((find(image[None])[0] for image in images), find(images), strict=True):
        assert (alone == together).all()
    assert find_covers(torch.zeros(0, 3, 512, 512), [], []) == []


def test_small_and_hidden_faces_are_looked_at():
    [cover] = find_covers(torch.rand(1, 3, 64, 64), [1.0], [TEMPLATE / 8])
    assert cover.shape == (SIDE, SIDE)
    [outside] = find_covers(torch.rand(1, 3, 512, 512), [1.0], [TEMPLATE - 1000])
    assert not any_strong(outside)


def test_nothing_is_shown_where_something_lies():
    covered = np.zeros((SIDE, SIDE), np.uint8)
    covered[100:120, 50:60] = 1
    shown = shown_share(covered, 512)
    assert (shown[200:240, 100:120] == 0).all()
    # It rises gradually, and soon: beside two scratches over a face, most of the face is restored.
    assert (shown[:190] > 0.999).all()
    assert 0 < shown[195, 110] < 1
