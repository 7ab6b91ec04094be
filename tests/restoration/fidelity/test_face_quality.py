"""Quality of a face: each measure depends on what it measures, and on little else."""

from __future__ import annotations

import dataclasses
from functools import cache

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.support.overlays import OVERLAYS, overlaid
from tests.support.portraits import aligned_portraits
from vidrestore.degradation.degrade import LEVELS, Degradation, degrade
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.covers import find_covers
from vidrestore.restoration.fidelity.face_quality import FaceQuality, measure_quality, median_quality
from vidrestore.restoration.fidelity.fill import fill_covered
from vidrestore.restoration.fidelity.rules import Limits, gate

LIMITS = Limits(min_size=20, max_sharpness=0.95, max_yaw=0.8)


@cache
def portraits() -> Tensor:
    """(2, 3, 512, 512) uint8: one face a little soft, one sharp in a grainy photograph."""
    return torch.stack([torch.from_numpy(p.transpose(2, 0, 1).copy()) for p in aligned_portraits().values()])


def look(images: Tensor, *, scale: float = 1.0, landmarks: np.ndarray = TEMPLATE) -> list[FaceQuality]:
    """The quality of pictures (N, 3, S, S), uint8 or in [0, 1]."""
    images = images if images.is_floating_point() else images.float() / 255
    return measure_quality(images, [scale] * len(images), [landmarks] * len(images))


def degraded(degradation: Degradation) -> list[FaceQuality]:
    return look(torch.stack([degrade(face, degradation, seed=1) for face in portraits()]))


def turned(yaw: float, pitch: float = 0.0) -> np.ndarray:
    """Landmarks (5, 2), in crop pixels, of a schematic head with this yaw and pitch in degrees: eyes, tip of
    the nose, corners of the mouth."""
    head = np.array([[-63, -65, 0], [63, -65, 0], [0, 8, 79], [-56, 66, 8], [56, 66, 8]], dtype=float)
    y, p = np.radians([yaw, pitch])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    return (head @ (about_x @ about_y).T)[:, :2] + 256


SERIES = {
    "blur": [Degradation(blur=b) for b in (0.01, 1, 2, 4, 8)],
    "size": [Degradation(scale=s) for s in (1.01, 2, 4, 8, 16)],
    "blurred and noisy": [Degradation(blur=b, noise=8) for b in (1, 2, 4, 8)],
    "levels": [Degradation(), *LEVELS.values()],
}


@pytest.mark.parametrize("roll", [0, 12])
@pytest.mark.parametrize("outside", [0.2, 0.36, 0.45])
def test_grain_is_measured_where_the_crop_shows_its_frame(outside: float, roll: float) -> None:
    """Beyond it the border is repeated: without grain, so that a grainy blurred face seemed to be sharp."""
    face = degrade(portraits()[0], Degradation(blur=8, noise=12), seed=1).permute(1, 2, 0).numpy()
    turn, matrix = np.radians(roll), cv2.getRotationMatrix2D((256.0, 256.0), roll, 1.0)

    def crop(line: int) -> Tensor:
        """Of a frame that lies rolled and ends at the row ``line``."""
        frame = cv2.warpAffine(face, matrix, (512, 512), borderMode=cv2.BORDER_REFLECT)
        frame[:line] = frame[line]
        back = cv2.invertAffineTransform(matrix)
        cut = cv2.warpAffine(frame, back, (512, 512), borderMode=cv2.BORDER_REFLECT)
        return torch.from_numpy(cut).permute(2, 0, 1)[None].float() / 255

    line, at = round(512 * outside), (np.arange(64) + 0.5) * 8 - 256
    inside = np.cos(turn) * at[:, None] - np.sin(turn) * at[None] > line - 256
    [whole], [unknown] = look(crop(0)), look(crop(line))
    [known] = measure_quality(crop(line), [1.0], [TEMPLATE], [inside])
    assert abs(known.noise - whole.noise) < 0.25 * whole.noise
    assert known.sharpness < whole.sharpness + 0.1
    if outside > 0.4 and not roll:
        assert unknown.noise < 0.6 * whole.noise
    assert measure_quality(crop(line), [1.0], [TEMPLATE], [np.ones((64, 64), bool)]) == [unknown]


@pytest.mark.parametrize("kind", SERIES)
def test_sharpness_falls_as_detail_is_removed(kind):
    values = np.array([[c.sharpness for c in degraded(d)] for d in SERIES[kind]])
    assert (np.diff(values, axis=0) < 0.01).all(), values.round(3)
    assert (values[0] - values[-1] > 0.35).all(), values.round(3)
    assert ((values >= 0) & (values <= 1)).all()


@pytest.mark.parametrize(
    ("level", "low", "high"), [("mild", 0.4, 0.75), ("medium", 0.2, 0.4), ("heavy", 0.1, 0.25)]
)
def test_sharpness_of_the_levels(level, low, high):
    for quality in degraded(LEVELS[level]):
        assert low < quality.sharpness < high


@pytest.mark.parametrize(
    ("change", "tolerance"),
    [
        pytest.param(lambda x: 0.55 * x, 0.08, id="darker"),
        pytest.param(lambda x: 0.5 * x + 0.3, 0.08, id="flatter"),
        pytest.param(lambda x: x.mean(dim=1, keepdim=True).expand_as(x), 0.08, id="grey"),
        pytest.param(lambda x: x.flip(-1), 0.03, id="mirrored"),
        pytest.param(lambda x: x.roll((3, -5), (-2, -1)), 0.06, id="shifted"),
    ],
)
def test_sharpness_does_not_depend_on_light_or_place(change, tolerance):
    faces = F.avg_pool2d(portraits().float() / 255, 2)
    faces = F.interpolate(faces, scale_factor=2, mode="bicubic").clamp(0, 1)
    for before, after in zip(look(faces), look(change(faces)), strict=True):
        assert after.sharpness == pytest.approx(before.sharpness, abs=tolerance)


@pytest.mark.parametrize("blur", [2.0, 4.0])
@pytest.mark.parametrize("noise", [4.0, 8.0])
def test_noise_does_not_count_as_sharpness(blur, noise):
    clean, noisy = (degraded(Degradation(blur=blur, noise=n)) for n in (0.0, noise))
    for before, after in zip(clean, noisy, strict=True):
        assert after.sharpness == pytest.approx(before.sharpness, abs=0.08)


@pytest.mark.parametrize("name", ["white scratch", "drop-out", "dust"])
def test_what_lies_over_some_of_the_edges_does_not_count_as_sharpness(name):
    for face in portraits():
        soft = degrade(face, LEVELS["medium"], seed=1).float() / 255
        before, after = look(torch.stack((soft, overlaid(soft, name)[0])))
        assert after.sharpness == pytest.approx(before.sharpness, abs=0.15)
        assert gate(after, LIMITS) > 0.99


@pytest.mark.parametrize("name", OVERLAYS)
def test_what_was_filled_does_not_count(name):
    for face in portraits():
        soft = degrade(face, LEVELS["medium"], seed=1).float() / 255
        image = overlaid(soft, name)[0]
        [cover] = find_covers(image[None], [1.0], [TEMPLATE])
        before, after = look(torch.stack((soft, fill_covered(image, cover))))
        # Where text hides the mouth, the eyes and the nose decide.
        assert after.sharpness == pytest.approx(before.sharpness, abs=0.15)
        assert gate(after, LIMITS) > 0.99


def test_a_sharp_face_behind_a_mask_is_sharp():
    sharp = F.interpolate(portraits()[1:].float() / 255, scale_factor=0.5, mode="area")
    masked = sharp.clone()
    masked[..., 155:230, 75:185] = torch.tensor([0.6, 0.75, 0.8])[:, None, None]
    places = TEMPLATE / 2
    before, after = look(torch.cat((sharp, masked)), landmarks=places)
    assert after.sharpness > 0.75 * before.sharpness


def test_noise_is_measured():
    """Grey noise added to a face without noise is measured with nearly its deviation."""
    for added in (2, 4, 8, 16):
        for quality in degraded(Degradation(blur=3, noise=added, grey_noise=True)):
            assert 0.75 * added < quality.noise < 1.1 * added


def test_noise_of_an_enlarged_face_is_that_of_the_frame():
    """The same noisy pixels give the same noise for a face at its own size and for a small face enlarged."""
    rng = torch.Generator().manual_seed(0)
    smooth = degrade(portraits()[0], Degradation(blur=6)).float()[None]
    found = []
    for scale in (1, 2, 3, 4):
        small = F.interpolate(smooth, scale_factor=1 / scale, mode="area")
        small = small + 10 * torch.randn(small.shape[-2:], generator=rng)
        warp = torch.tensor([[[0.97, -0.05, 0.003], [0.05, 0.97, 0.002]]])
        grid = F.affine_grid(warp, (1, 3, 512, 512), align_corners=False)
        crop = F.grid_sample(small, grid, padding_mode="border", align_corners=False)
        [quality] = look(crop.clamp(0, 255) / 255, scale=scale)
        found.append(quality.noise)
    assert max(found) < 1.4 * min(found), found
    assert found == pytest.approx([5.0] * 4, rel=0.4)


def test_images_without_a_face_are_measured_too():
    for value in (0.0, 0.4, 1.0):
        [flat] = look(torch.full((1, 3, 512, 512), value))
        assert (flat.sharpness, flat.noise) == (0, pytest.approx(0, abs=1e-3))
    [noise] = look(torch.rand(1, 3, 512, 512, generator=torch.Generator().manual_seed(0)))
    assert noise.noise > 20
    assert 0 <= noise.sharpness <= 1


def test_faces_do_not_depend_on_their_batch():
    alone = [look(face[None])[0] for face in portraits()]
    together = look(portraits())
    for a, b in zip(alone, together, strict=True):
        assert dataclasses.astuple(a) == pytest.approx(dataclasses.astuple(b), rel=1e-4)
    assert measure_quality(torch.zeros(0, 3, 512, 512), [], []) == []


@pytest.mark.parametrize("side", [256, 1024])
def test_faces_of_another_side(side):
    """Smaller crops have less detail; larger ones are measured at 512 pixels."""
    resized = F.interpolate(
        portraits().float() / 255, size=(side, side), mode="bilinear", antialias=True, align_corners=False
    )
    for before, after in zip(look(portraits()), look(resized, landmarks=TEMPLATE * side / 512), strict=True):
        assert after.size == pytest.approx(before.size * side / 512)
        assert after.sharpness <= before.sharpness + 0.01
        assert side < 512 or after.sharpness > before.sharpness - 0.15


@pytest.mark.parametrize("side", [256, 1024, 2048])
def test_the_noise_of_a_frame_does_not_depend_on_the_side_of_the_crop(side):
    """Cutting it out smooths it as much as the crop has more pixels than the frame, when it is measured at
    512 pixels. It took the crop's side, and found 1.5 times as much at 2048."""

    def noise(size: int) -> float:
        options = {"mode": "bicubic", "antialias": True, "align_corners": False}
        crop = F.interpolate(frame, size=(size, size), **options).clamp(0, 1)
        return look(crop, scale=size / 256, landmarks=TEMPLATE * size / 512)[0].noise

    small = F.interpolate(portraits()[:1].float() / 255, size=(256, 256), mode="area")
    frame = small + 0.02 * torch.randn(small.shape, generator=torch.Generator().manual_seed(2))
    assert noise(side) == pytest.approx(noise(512), rel=0.3)


@pytest.mark.parametrize("scale", [0.25, 1.0, 6.0])
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (60, 0), (-80, 0), (0, 40), (20, -30)])
def test_size_does_not_depend_on_rotation(scale, yaw, pitch):
    [quality] = look(portraits()[:1], scale=scale, landmarks=turned(yaw, pitch))
    assert quality.size == pytest.approx(341 / scale, rel=0.2)


@pytest.mark.parametrize("yaw", [-90, -75, -45, -20, 0, 10, 30, 60, 85])
@pytest.mark.parametrize("pitch", [-20, 0, 20])
def test_yaw_is_the_angle(yaw, pitch):
    points = turned(yaw, pitch)
    [quality] = look(portraits()[:1], landmarks=points)
    assert quality.yaw == pytest.approx(abs(yaw) / 90, abs=0.04)
    roll = np.radians(25)
    rolled = (points - 256) @ [[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]] + 256
    [again] = look(portraits()[:1], landmarks=rolled)
    assert again.yaw == pytest.approx(quality.yaw, abs=0.02)


def test_mean_is_each_measures_median():
    rows = [(40, 0.5, 1.0, 0.1), (41, 0.4, 9.0, 0.2), (300, 0.6, 2.0, 0.9)]
    qualities = [FaceQuality(size=s, sharpness=h, noise=n, yaw=y) for s, h, n, y in rows]
    assert median_quality(qualities) == FaceQuality(size=41, sharpness=0.5, noise=2.0, yaw=0.2)
    assert median_quality(qualities[::-1]) == median_quality(qualities)
    with pytest.raises(ValueError, match="no face qualities"):
        median_quality([])
