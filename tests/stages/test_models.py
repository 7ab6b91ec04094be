"""The networks of a run: faces from their frame to their restored form."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support import tiny
from tests.support.runs import face_frame
from tests.support.small_networks import SMALL
from vidrestore.faces.face import Adjustment, Face
from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.frame import Frame
from vidrestore.restoration import tasks
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerRestorer
from vidrestore.restoration.fidelity import uncover
from vidrestore.restoration.fidelity.covers import SIDE, STRONG
from vidrestore.restoration.fidelity.rules import Limits
from vidrestore.restoration.guarded import Guarded, Guards
from vidrestore.restoration.temporal.stabilise import skip_comparison
from vidrestore.restoration.temporal.w_chooser import Chooser
from vidrestore.runtime.profile import Profile
from vidrestore.stages.models import Models
from vidrestore.stages.setup import RestorerSetup

LANDMARKS = np.array([[130, 80], [170, 80], [150, 105], [135, 125], [165, 125]], np.float32)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Models:
    weights = tiny.save_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors")
    setup = RestorerSetup.resolve(weights=weights, device="cpu", precision="fp32")
    return Models(setup, Profile(torch.device("cpu")))


@pytest.fixture
def frame() -> Frame:
    return Frame(0, face_frame(320, 240, "gbrp"), Colour(full_range=True))


def face(track: int, shift: float = 0.0) -> Face:
    box = np.array([110, 50, 190, 150], np.float32)
    return Face(track, box + shift, LANDMARKS + np.float32(shift))


def test_a_frame_without_faces_has_no_crops(models, frame):
    assert models.align(frame, []) == []


def test_a_face_whose_landmarks_do_not_fit_is_left_alone_and_that_is_said_once(models, frame, caplog):
    upside_down = replace(face(2), landmarks=LANDMARKS[[4, 3, 2, 1, 0]])
    bunched = [
        replace(face(track), landmarks=LANDMARKS[2] + np.float32(share) * (LANDMARKS - LANDMARKS[2]))
        for track, share in ((4, 0.2), (5, 0.57))
    ]
    mirrored = replace(face(3), landmarks=LANDMARKS[[1, 0, 2, 4, 3]])
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            crops = models.align(frame, [face(1), upside_down, mirrored, *bunched])
    assert [crop.track for crop in crops] == [1, 2, 5]
    strengths = [crop.source.face.strength for crop in crops]
    assert strengths[:2] == [1, 1]
    assert 0 < strengths[2] < 1
    assert [record.message.split(":")[0] for record in caplog.records] == ["track 3", "track 4", "track 5"]


def test_faces_go_through_all_states(models, frame):
    crops = models.align(frame, [face(1), face(3, shift=20)])
    assert [crop.track for crop in crops] == [1, 3]
    assert all((crop.image.shape, crop.image.dtype) == ((3, 64, 64), torch.float16) for crop in crops)
    assert crops[0].quality.size == pytest.approx(2.6 * 45, rel=0.05)  # eyes to mouth
    limits = Limits(min_size=0, max_sharpness=0, max_yaw=0)
    chooser = Chooser(w=0.7, of_track={}, limits=limits, strength=0.5)
    observed = models.observe([skip_comparison(chooser(crop, [])) for crop in crops])
    assert [face.w for face in observed] == [0.7, 0.7]
    restored = models.restore(observed, keep_colours=True)
    for crop, result in zip(crops, restored, strict=True):
        assert (result.track, result.source) == (crop.track, crop.source)
        assert result.restored.shape == (3, 64, 64)
        assert 0 <= result.layers.min() <= result.layers.max() <= 1
        assert result.mask.max() == pytest.approx(1, abs=0.01)
        assert result.opacity == 0.5
    for done in models.finish(frame, restored):
        assert done.mask.max() == pytest.approx(0.5, abs=0.01)


def test_a_face_that_is_not_shown_is_measured_alone(models, frame):
    """In its place among the others, and without rendering it."""
    limits = Limits(min_size=0, max_sharpness=0, max_yaw=0)
    chooser = Chooser(w=0.7, of_track={}, limits=limits, strength=1.0)
    crops = models.align(frame, [face(1), face(2, shift=10), face(3, shift=20)])
    observed = models.observe([skip_comparison(chooser(crop, [])) for crop in crops])
    whole = models.restore(observed, keep_colours=True)
    observed[1] = replace(observed[1], is_shown=False)
    restored = models.restore(observed, keep_colours=True)
    assert [result.track for result in restored] == [1, 2, 3]
    assert [result.layers.numel() > 0 for result in restored] == [True, False, True]
    assert all(torch.equal(a.tint, b.tint) for a, b in zip(restored, whole, strict=True))
    assert torch.equal(restored[2].layers, whole[2].layers)


def test_faces_of_two_sizes_that_are_not_shown_are_measured(models, frame, monkeypatch):
    """Those of two restorers, one of which is for smaller faces."""
    network = CodeFormer(replace(SMALL, image_size=32, cft_sizes=(8, 16)))
    small = CodeFormerRestorer(network, name="small", licence="none")
    monkeypatch.setattr(models, "_others", {"small": small})
    limits = Limits(min_size=0, max_sharpness=0, max_yaw=0)
    chooser = Chooser(w=0.7, of_track={}, limits=limits, strength=1.0)
    faces = [face(1), replace(face(2, shift=10), adjustment=Adjustment(restorer="small"))]
    observed = models.observe([skip_comparison(chooser(crop, [])) for crop in models.align(frame, faces)])
    assert [each.image.shape[-1] for each in observed] == [64, 32]
    shown = models.restore(observed, keep_colours=True)
    assert [each.restorer for each in shown] == [None, "small"]
    hidden = models.restore([replace(each, is_shown=False) for each in observed], keep_colours=True)
    assert [(each.track, each.layers.shape) for each in hidden] == [(1, (4, 0, 0)), (2, (4, 0, 0))]
    assert all(torch.equal(a.tint, b.tint) for a, b in zip(hidden, shown, strict=True))


@pytest.mark.parametrize("keep_colours", [False, True])
def test_faces_are_restored_within_limits(models, frame, monkeypatch, keep_colours):
    """With their own landmarks and the quality of their track."""
    calls = []

    def render(restorer, observations, images, w, landmarks, qualities, *, keep_colours):
        calls.append((restorer, w, landmarks, qualities, keep_colours))
        return Guarded(images, torch.tensor([[0.4, 0.01, 0, 0, 0, 0], [0.4, 0.2, 0.4, 0, 0.1, 0]]))

    monkeypatch.setattr(tasks, "render_within_limits", render)
    chooser = Chooser(
        w=0.4,
        of_track={},
        limits=Limits(min_size=0, max_sharpness=0, max_yaw=0),
        strength=1.0,
    )
    crops = models.align(frame, [face(1), face(2, shift=20)])
    observed = models.observe([skip_comparison(chooser(crop, [])) for crop in crops])
    restored = models.restore(observed, keep_colours=keep_colours)
    [(restorer, w, landmarks, qualities, kept)] = calls
    assert (restorer, w, kept) == (models.restorer, [0.4, 0.4], keep_colours)
    assert np.array_equal(landmarks, [crop.source.landmarks for crop in crops])
    assert qualities == [crop.quality for crop in crops]
    assert all(torch.equal(a.restored, b.image) for a, b in zip(restored, observed, strict=True))
    assert Guards(*restored[1].guards.tolist()) == pytest.approx(Guards(0.4, 0.2, 0.4, 0, 0.1, 0))


def test_a_face_is_finished_with_the_crop_of_its_own_frame(models, frame):
    chooser = Chooser(
        w=0.0,
        of_track={},
        limits=Limits(min_size=0, max_sharpness=0, max_yaw=0),
        strength=1.0,
    )
    crops = models.align(frame, [face(1), face(2, shift=20)])
    observed = models.observe([skip_comparison(chooser(crop, [])) for crop in crops])
    finished = models.finish(frame, models.restore(observed, keep_colours=False))
    assert [result.track for result in finished] == [1, 2]
    for crop, result in zip(crops, finished, strict=True):
        off = ((result.restored - crop.image) * result.mask).sum((1, 2)) / result.mask.sum()
        assert off.abs().max() < 1 / 255


def test_what_lies_over_a_face_is_filled(models, monkeypatch):
    """The restorer, the comparison over time and the measures see the face alone."""
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cover[100:140] = STRONG
    frame = Frame(0, face_frame(320, 240, "gbrp"), Colour(full_range=True))
    [plain] = models.align(frame, [face(1)])
    monkeypatch.setattr(uncover, "find_covers", lambda images, scales, landmarks: [cover] * len(images))
    [crop] = models.align(frame, [face(1)])
    assert crop.cover is cover
    assert not torch.equal(crop.image, plain.image)
    assert not np.array_equal(crop.view.colours, plain.view.colours)
    assert torch.equal(crop.image[:, 40:], plain.image[:, 40:])
    assert crop.quality != plain.quality
