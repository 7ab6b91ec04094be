"""The steps of restoration: their order over frames, which faces go through them, and their batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from vidrestore.options import Options
from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.restorer import Observation
from vidrestore.restoration.tasks import find_task
from vidrestore.restoration.temporal.face_crop import FaceCrop, ObservedFace, RestoredFace
from vidrestore.restoration.temporal.motion import View
from vidrestore.runtime.profile import Profile
from vidrestore.runtime.scheduler import Stages
from vidrestore.stages.restoration import CONTEXT, chooser, restore_faces

IMAGE = torch.rand(3, 64, 64, generator=torch.manual_seed(0)).half()
VIEW = View.from_image(IMAGE)
SOFT = FaceQuality(size=60, sharpness=0.3, noise=2.0, yaw=0.1)
SHARP = FaceQuality(size=200, sharpness=1.0, noise=1.0, yaw=0.1)


@dataclass
class NumberedFrame:
    index: int


class RecordingModels:
    """Restores each face to its own image, and records the tracks of each batch."""

    device = torch.device("cpu")
    task = find_task("restore")

    def __init__(self) -> None:
        self.profile = Profile(self.device)
        self.observed: list[list[int]] = []
        self.has_codes = True

    def observe(self, faces):
        self.observed.append([face.source for face in faces])
        return [
            ObservedFace(
                track=face.track,
                source=face.source,
                image=face.image,
                quality=face.quality,
                w=face.w,
                strength=face.strength,
                comparison=face.comparison,
                observation=Observation(torch.zeros(4, 2, 2), torch.zeros(4, 8), None),
            )
            for face in faces
        ]

    def restore(self, faces, *, keep_colours):
        return [
            RestoredFace(
                track=face.track,
                source=face.source,
                layers=torch.cat((face.image, torch.ones_like(face.image[:1]))),
                tint=torch.zeros(2, 112),
                comparison=face.comparison,
            )
            for face in faces
        ]


def frames(count: int, quality: FaceQuality = SOFT):
    """Frames with a face of track 1 each, and of track 2 in every third."""
    for index in range(count):
        tracks = (1, 2) if index % 3 == 0 else (1,)
        yield (
            NumberedFrame(index),
            [
                FaceCrop(track=track, source=index, image=IMAGE, view=VIEW, quality=quality)
                for track in tracks
            ],
        )


def restored(count: int, steady: str, quality: FaceQuality = SOFT, *, segment_length: int = 1000):
    models = RecordingModels()
    options = Options(input=Path("in.mp4"), steady=steady)
    with Stages() as stage:
        found = list(
            restore_faces(
                frames(count, quality),
                models,
                options,
                stage,
                batch=4,
                segment_length=segment_length,
            )
        )
    return found, models


@pytest.mark.parametrize("steady", ["all", "none", "input", "codes", "output,colour"])
def test_every_frame_comes_out_once_with_its_faces(steady):
    found, _ = restored(10, steady)
    assert [frame.index for frame, _ in found] == list(range(10))
    for frame, faces in found:
        assert [face.track for face in faces] == ([1, 2] if frame.index % 3 == 0 else [1])
        assert all(face.source == frame.index for face in faces)


@pytest.mark.parametrize("steady", ["codes", "input"])
def test_faces_are_compared_for_each_step_that_needs_it(steady):
    found, _ = restored(4, steady)
    assert {-1, 1} <= set(found[1][1][0].comparison.motions)


def test_faces_that_are_left_alone_are_not_observed():
    found, models = restored(5, "all", SHARP)
    assert [faces for _, faces in found] == [[]] * 5
    assert models.observed == []


def test_batches_are_flushed_before_a_segment():
    """With a segment length of L, a batch starts so many frames before it as later steps look back."""
    _, models = restored(200, "all", segment_length=100)
    starts = {batch[0] for batch in models.observed}
    reaches_back = 30  # of the codes, the output and the colours: 3 + 24 + 3
    assert {100 - reaches_back, 200 - reaches_back} <= starts
    assert sorted(index for batch in models.observed for index in batch) == sorted(
        crop.source for _, crops in frames(200) for crop in crops
    )


def test_the_context_is_the_sum_of_what_the_steps_look_over():
    assert CONTEXT == 3 + 12 + 24 + 3 + 11 + 3 + 24 + 3


@pytest.mark.parametrize(
    ("track_w", "recorded", "w", "expected"),
    [
        (((1, 0.2),), 0.4, 0.6, 0.2),
        (((2, 0.2),), 0.4, 0.6, 0.4),
        ((), 0.0, 0.6, 0.0),
        ((), None, 0.6, 0.6),
    ],
    ids=["--track-w", "tracks file", "zero in the tracks file", "--w"],
)
def test_w_comes_from_the_most_specific_setting(track_w, recorded, w, expected):
    options = Options(input=Path("in.mp4"), w=w, track_w=track_w)
    choose = chooser(options)
    crop = FaceCrop(track=1, source=None, image=IMAGE, view=VIEW, quality=SOFT, set_w=recorded)
    assert choose(crop, []).w == pytest.approx(expected)
