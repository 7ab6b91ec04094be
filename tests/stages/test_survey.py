"""Tracks are measured now and then while frames go by, and grouped by person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from vidrestore.faces.face import Face
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.frame import Frame
from vidrestore.stages.survey import Survey

SAMPLE = Path(__file__).parents[2] / "samples" / "portrait.mp4"
POINTS = np.array([[190, 150], [250, 150], [220, 185], [195, 215], [245, 215]], np.float32)


class Looks:
    """An embedding by the colour in the middle; counts the faces that it is given."""

    name, threshold = "test", 20.0

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        self.calls += len(faces)
        return np.stack([face[200:300, 200:300].mean((0, 1)) for face in faces])


def face(track: int, x: float = 0.0, turn: float = 0.0) -> Face:
    """A face moved to the right by ``x`` pixels and turned by ``turn`` degrees clockwise."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    points = (POINTS - POINTS.mean(0)) @ np.array([[c, s], [-s, c]], np.float32) + POINTS.mean(0) + [x, 0]
    box = np.array([*points.min(0) - 30, *points.max(0) + 30], np.float32)
    return Face(track, box, points.astype(np.float32))


def scratched(frame: Frame) -> Frame:
    """``frame`` with two white lines over the face."""
    picture = frame.video.to_ndarray(format="yuv420p")
    for x in (208, 232):
        picture[: frame.video.height, x : x + 2] = 235
    video = av.VideoFrame.from_ndarray(picture, format="yuv420p")
    video.pts, video.time_base = frame.video.pts, frame.video.time_base
    return replace(frame, video=video)


@pytest.fixture(scope="module")
def frame():
    with Decoder(SAMPLE) as decoder:
        yield next(iter(decoder))


# From the 24th measurement on every 24 frames, after 12 more every 48.
@pytest.mark.parametrize(("frames", "measured"), [(1, 1), (12, 1), (13, 2), (276, 23), (277, 24), (756, 40)])
def test_a_track_is_measured_less_often_the_longer_it_is(frame, frames, measured):
    survey = Survey(looks := Looks())
    for _ in range(frames):
        survey.look(frame, [face(1)])
    assert looks.calls == measured


def test_the_condition_of_a_track(frame):
    survey = Survey(Looks())
    survey.look(frame, [face(1), face(2, turn=30)])
    upright, turned = survey.conditions[1], survey.conditions[2]
    assert (upright.roll, turned.roll) == (0.0, 30.0)
    assert upright.size == turned.size == pytest.approx(2.6 * 65, abs=0.2)
    assert upright.why.startswith("169 px")
    assert 0.3 <= upright.w <= 0.9


def test_the_roll_of_a_face_that_is_upside_down(frame):
    """It is turned by a little less than half a turn, or by a little more."""
    survey = Survey(Looks())
    for turn in (179, -179, 178, -178):
        for _ in range(12):
            survey.look(frame, [face(1, turn=turn)])
    assert abs(survey.conditions[1].roll) >= 178


def test_the_roll_is_that_of_the_face_as_it_is_displayed(frame):
    """Not of the pixels, which are wider than high."""
    turned = face(1, turn=45)
    stored = replace(turned, landmarks=turned.landmarks / np.float32([1.42, 1]))
    survey = Survey(Looks())
    survey.look(replace(frame, aspect=1.42), [stored])
    assert survey.conditions[1].roll == 45


def test_the_condition_is_that_of_the_face_behind_what_lies_over_it(frame):
    """As a run measures it, which fills what is covered."""
    clear, covered = Survey(Looks()), Survey(Looks())
    clear.look(frame, [face(1)])
    covered.look(scratched(frame), [face(1)])
    plain, scratch = clear.conditions[1], covered.conditions[1]
    assert plain.in_front == 0
    assert 0.1 < scratch.in_front < 0.5
    assert scratch.sharpness == pytest.approx(plain.sharpness, abs=0.06)  # 0.78 unfilled
    assert scratch.noise == pytest.approx(plain.noise, abs=0.3)
    assert "partly covered" in scratch.why
    assert "partly covered" not in plain.why


def test_persons_are_told_apart_and_two_faces_of_a_frame_are_two_people(frame):
    survey = Survey(Looks())
    survey.look(frame, [face(1)])
    survey.look(frame, [face(2), face(3)])
    assert survey.persons == {1: 1, 2: 1, 3: 2} or survey.persons == {1: 1, 2: 2, 3: 1}
    survey.look(frame, [face(4, x=-150)])
    assert survey.persons[4] == 3


def test_a_survey_of_nothing():
    survey = Survey(Looks())
    assert survey.conditions == survey.persons == {}
