"""What is noted of faces on their way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.support.runs import face_frame
from vidrestore.faces.alignment.align import Placement
from vidrestore.faces.face import Face
from vidrestore.media.frames.colour import Colour
from vidrestore.media.frames.crop import Blended
from vidrestore.media.frames.frame import Frame
from vidrestore.restoration.fidelity.covers import SIDE
from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.fidelity.rules import Limits
from vidrestore.restoration.guarded import Guards
from vidrestore.restoration.temporal.face_crop import FaceCrop, Likeness, PlannedFace, RestoredFace
from vidrestore.restoration.temporal.motion import NO_COMPARISON
from vidrestore.stages.notes import Notes

QUALITY = FaceQuality(size=25, sharpness=0.25, noise=5.0, yaw=0.1)
POINTS = np.array([[16, 26], [24, 26], [20, 30], [17, 35], [23, 35]], np.float32)
FACE = Face(7, np.array([10, 20, 30.04, 40], np.float32), POINTS, 0.5)
PLACEMENT = Placement(FACE, np.eye(3), np.zeros((5, 2)))


@dataclass
class Source:
    shots: int = 3


def frame_of() -> Frame:
    video = face_frame(64, 48, "yuv420p")
    video.pts = 90
    return Frame(5, video, Colour(full_range=True))


@pytest.fixture
def notes() -> Notes:
    return Notes(Limits(min_size=20, max_sharpness=0.95, max_yaw=0.8), lambda restorer: (0.215, 0.29))


def begun(notes: Notes, frame: Frame, face: Face = FACE) -> None:
    assert list(notes.watch(Source(), [(frame, (face,))])) == [(frame, (face,))]


def crop(**values) -> FaceCrop:
    given = {"track": 7, "source": PLACEMENT, "image": torch.zeros(3, 64, 64), "view": None}
    return FaceCrop(**given | {"quality": QUALITY} | values)


def pasted(**values) -> SimpleNamespace:
    given = {"track": 7, "source": PLACEMENT, "layers": torch.zeros(4, 64, 64), "likeness": None}
    return SimpleNamespace(**given | values)


def planned(cover=None) -> PlannedFace:
    return PlannedFace(
        track=7, source=PLACEMENT, image=None, view=None, quality=QUALITY, w=0.4, strength=0.8, cover=cover
    )


def test_a_face_that_is_only_found(notes):
    frame = frame_of()
    begun(notes, frame)
    taken = notes.take(frame)
    assert (taken.pts, taken.shot, taken.restored) == (90, 3, 0)
    [face] = taken.faces
    assert (face.track, face.box, face.fade, face.fit) == (7, (10, 20, 30, 40), 0.5, 0)
    with pytest.raises(KeyError):
        notes.take(frame)


def test_quality_plan_and_gates(notes):
    frame = frame_of()
    begun(notes, frame)
    notes.crops(frame, [crop()])
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cover[:, :128] = 1  # half of the face
    notes.planned(frame, [planned(cover)])
    [face] = notes.take(frame).faces
    assert (face.fit, face.size, face.sharpness, face.noise, face.yaw) == (1, 25, 0.25, 5, 0.1)
    assert (face.w, face.strength) == (0.4, 0.4)  # it fades in at a half
    assert face.covered == pytest.approx(0.5, abs=0.01)
    assert 0 < face.gates.size < 1
    assert face.gates[1:] == (1, 1, 1)
    assert 0 < face.worn < 1


def test_a_face_that_has_hardly_faded_in(notes):
    """A tracks file may give any strength above 0."""
    frame, faint = frame_of(), replace(FACE, strength=0.0004)
    begun(notes, frame, faint)
    notes.crops(frame, [crop(source=replace(PLACEMENT, face=faint))])
    [face] = notes.take(frame).faces
    assert (face.fade, face.fit) == (0.0, 1.0)


def test_what_was_pasted(notes):
    frame = frame_of()
    begun(notes, frame)
    face = RestoredFace(
        track=7,
        source=PLACEMENT,
        layers=torch.zeros(4, 64, 64),
        tint=torch.zeros(2, 112),
        comparison=NO_COMPARISON,
        guards=torch.tensor([0.5, 0.1, 0.2, 0.3, 0.0, 0.0]),
    )
    part = np.zeros((10, 10), np.uint8)
    notes.pasted(frame, face, Blended((4, 14, 6, 16), (4, 6), part, part))
    taken = notes.take(frame)
    assert taken.restored == 1
    [face] = taken.faces
    assert face.guards == pytest.approx(Guards(0.5, 0.1, 0.2, 0.3, 0, 0), abs=1e-4)
    assert face.region == (6, 4, 16, 14)
    assert face.light is not None


def test_a_face_held_to_its_photograph(notes):
    frame = frame_of()
    begun(notes, frame)
    notes.crops(frame, [crop()])
    notes.planned(frame, [planned()])
    notes.pasted(frame, pasted(guards=None, likeness=Likeness(0.31119, 0.6, 1.0, 0.5)), None)
    taken = notes.take(frame)
    assert taken.restored == 1, "though no guard looked at it"
    [face] = taken.faces
    assert face.guards is None
    assert face.likeness == Likeness(0.3112, 0.6, 1, 0.5)
    assert (face.w, face.strength) == (0.4, 0.2)


@pytest.mark.parametrize(("turns", "region"), [(1, (4, 48, 14, 58)), (2, (48, 34, 58, 44))])
def test_regions_are_upright(notes, turns, region):
    frame = frame_of()
    begun(notes, frame)
    upright = {1: ((0, 1, 0), (-1, 0, 64), (0, 0, 1)), 2: ((-1, 0, 64), (0, -1, 48), (0, 0, 1))}[turns]
    turned = SimpleNamespace(index=5, upright=np.array(upright, float), image=frame.image)
    part = np.zeros((10, 10), np.uint8)
    notes.pasted(turned, pasted(guards=torch.zeros(6)), Blended((4, 14, 6, 16), (4, 6), part, part))
    assert notes.take(frame).faces[0].region == region


def test_a_crop_outside_the_frame_changes_nothing(notes):
    frame = frame_of()
    begun(notes, frame)
    notes.pasted(frame, pasted(guards=None), None)
    assert notes.take(frame).faces[0].region is None
