"""The faces of one picture, restored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support import photos, tiny
from vidrestore.faces.detection.load import load_detector
from vidrestore.media.photo.picture import picture_of
from vidrestore.restoration.fidelity.rules import Limits
from vidrestore.restoration.temporal.w_chooser import Chooser
from vidrestore.runtime.profile import Profile
from vidrestore.stages.models import Models
from vidrestore.stages.picture import restore_picture
from vidrestore.stages.setup import RestorerSetup
from vidrestore.stages.still_faces import find_faces
from vidrestore.upscale.lanczos import Lanczos

CPU = torch.device("cpu")
OPEN, CLOSED = (
    Limits(min_size=0, max_sharpness=0, max_yaw=0),
    Limits(min_size=900, max_sharpness=0, max_yaw=0),
)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Models:
    weights = tiny.save_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")
    return Models(RestorerSetup.resolve(weights=weights, device="cpu", precision="fp32"), Profile(CPU))


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    scene = np.full((220, 400, 3), 120, np.uint8)
    scene[30:190, 20:180] = photos.face(160)
    scene[30:190, 220:380] = photos.face(160)
    return scene


@pytest.fixture(scope="module")
def faces(scene):
    return find_faces(picture_of(scene), load_detector("retinaface_mobile0.25", CPU, hints=True))


def chooser(limits: Limits) -> Chooser:
    return Chooser(w=0.5, of_track={}, limits=limits, strength=1.0, noun="face")


def rgb(picture) -> np.ndarray:
    g, b, r = picture.image().planes
    return np.dstack([r, g, b])


@pytest.mark.parametrize("batch", [1, 4])
def test_only_faces_change_whatever_the_batch(models, scene, faces, batch):
    picture, found = restore_picture(picture_of(scene), faces, models, chooser(OPEN), batch=batch)
    assert [(face.number, face.restored) for face in found] == [(1, True), (2, True)]
    changed = (rgb(picture) != scene).any(axis=2)
    assert changed[:, 20:180].mean() > 0.02 < changed[:, 220:380].mean()
    assert not changed[:, 185:215].any()
    assert not changed[:10].any()


def test_a_face_that_is_left_alone_keeps_its_samples(models, scene, faces):
    picture, found = restore_picture(picture_of(scene), faces, models, chooser(CLOSED), batch=2)
    assert (rgb(picture) == scene).all()
    assert [face.restored for face in found] == [False, False]
    assert str(found[0]).startswith("face 1 at ")
    assert str(found[0]).endswith("left alone")


def test_a_part_of_the_faces(models, scene, faces):
    picture, _ = restore_picture(picture_of(scene), faces[1:], models, chooser(OPEN), batch=2)
    changed = (rgb(picture) != scene).any(axis=2)
    assert not changed[:, :200].any()
    assert changed[:, 220:].any()


@pytest.mark.parametrize("samples", ["grey", "deep"])
def test_grey_stays_grey_and_deep_stays_deep(models, scene, faces, samples):
    given = scene[..., 0] if samples == "grey" else photos.deep(scene)
    picture, _ = restore_picture(picture_of(given), faces, models, chooser(OPEN), batch=2)
    after = picture.image().planes[0] if samples == "grey" else rgb(picture)
    assert after.dtype == given.dtype
    assert (after[:10] == given[:10]).all()
    assert (after != given).any()


def test_faces_are_pasted_at_the_size_of_an_enlarged_picture(models, scene, faces):
    """And not enlarged with it: outside faces it is the enlarged picture, inside it is not."""
    upscaler = Lanczos(3)
    enlarged = upscaler(picture_of(scene))
    before = rgb(enlarged).copy()
    given = picture_of(scene)
    picture, _ = restore_picture(given, faces, models, chooser(OPEN), batch=2, upscaler=upscaler)
    after = rgb(picture)
    assert after.shape == (660, 1200, 3)
    assert (rgb(given) == scene).all()
    changed = (after != before).any(axis=2)
    assert not changed[:, 555:645].any()
    assert changed[:, 60:540].mean() > 0.02 < changed[:, 660:1140].mean()
    at_input, _ = restore_picture(picture_of(scene), faces, models, chooser(OPEN), batch=2)
    pasted_first = rgb(upscaler(at_input))
    assert (pasted_first != after).any()
    # Yet the faces lie where they did.
    assert np.abs(pasted_first.astype(int) - after).mean() < 2
