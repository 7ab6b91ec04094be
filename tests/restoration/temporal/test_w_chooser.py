"""Which w and how much of the restoration each face gets."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
import torch

from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.fidelity.rules import Limits, choose_w
from vidrestore.restoration.temporal.face_crop import FaceCrop, PlannedFace
from vidrestore.restoration.temporal.motion import View
from vidrestore.restoration.temporal.w_chooser import REACH, Chooser, is_visible

SOFT = FaceQuality(size=60, sharpness=0.3, noise=2.0, yaw=0.1)
SHARP = FaceQuality(size=200, sharpness=1.0, noise=1.0, yaw=0.1)
OPEN = Limits(min_size=20, max_sharpness=0.95, max_yaw=0.8)


IMAGE = torch.zeros(3, 64, 64)
VIEW = View.from_image(IMAGE)


def crop(quality: FaceQuality, track: int = 1) -> FaceCrop[None]:
    return FaceCrop(track=track, source=None, image=IMAGE, view=VIEW, quality=quality)


def planned(quality: FaceQuality, around: tuple[FaceQuality, ...] = (), **settings) -> PlannedFace[None]:
    given = {"w": None, "of_track": {}, "limits": OPEN, "strength": 1.0} | settings
    return Chooser(**given)(crop(quality), [(i + 1, crop(other)) for i, other in enumerate(around)])


def test_w_comes_from_the_run_the_track_or_the_face():
    assert planned(SOFT, w=0.7).w == 0.7
    assert planned(SOFT, w=0.7, of_track={1: 0.2}).w == 0.2
    assert planned(SOFT, of_track={1: 0.2}).w == 0.2
    assert planned(SOFT, of_track={2: 0.2}).w == choose_w(SOFT)
    assert planned(SHARP).w > planned(SOFT).w


def test_zero_is_a_valid_w():
    assert planned(SOFT, w=0.0).w == 0.0
    assert planned(SOFT, w=0.7, of_track={1: 0.0}).w == 0.0


def test_a_single_deviating_frame_does_not_count():
    assert planned(SHARP, (SOFT,) * 6).w == planned(SOFT, (SOFT,) * 6).w


@pytest.mark.parametrize(
    ("quality", "limit"),
    [
        (SHARP, "max_sharpness"),
        (FaceQuality(size=12, sharpness=0.2, noise=2.0, yaw=0.1), "min_size"),
        (FaceQuality(size=60, sharpness=0.3, noise=2.0, yaw=0.95), "max_yaw"),
    ],
    ids=["sharp", "tiny", "in profile"],
)
def test_each_gate_has_an_option_that_disables_it(quality, limit):
    assert not is_visible(planned(quality))
    opened = {name: getattr(OPEN, name) for name in ("min_size", "max_sharpness", "max_yaw")} | {limit: 0}
    assert is_visible(planned(quality, limits=Limits(**opened)))


def test_strength_is_multiplied_by_the_gates():
    assert planned(SOFT, strength=0.4).strength == pytest.approx(0.4 * planned(SOFT).strength)


def test_each_track_is_logged_once(caplog):
    caplog.set_level(logging.INFO, "vidrestore")
    chooser = Chooser(w=None, of_track={}, limits=OPEN, strength=1.0)
    for track in (1, 1, 2, 1, 2):
        chooser(crop(SOFT if track == 1 else SHARP, track), [])
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("track 1: 60 px, ")
    assert f"w {choose_w(SOFT):.2f}" in first
    assert second.startswith("track 2: ")
    assert second.endswith("left alone")


def over_time(qualities: list[FaceQuality], chooser: Chooser, first: int = 0) -> list[PlannedFace[None]]:
    """The faces of a track of 10 frames a second, from frame ``first`` on."""
    crops = [replace(crop(quality), time=Fraction(i, 10)) for i, quality in enumerate(qualities)]
    return [
        chooser(
            crops[i],
            [(j - i, crops[j]) for j in range(i - REACH, i + REACH + 1) if 0 <= j < len(crops) and j != i],
        )
        for i in range(first, len(crops))
    ]


def new_chooser() -> Chooser:
    return Chooser(w=0.5, of_track={}, limits=OPEN, strength=1.0)


def test_the_gate_moves_slowly():
    strengths = [face.strength for face in over_time([SOFT] * 30 + [SHARP] * 30, new_chooser())]
    assert (strengths[0], strengths[-1]) == (1, 0)
    assert max(abs(b - a) for a, b in pairwise(strengths)) < 0.1
    assert over_time([SOFT] * 30 + [SHARP] * 30, new_chooser(), 25)[0].strength == strengths[25]


def test_some_deviating_frames_do_not_move_the_gate():
    flickering = [SHARP if i % 5 == 0 else SOFT for i in range(60)]
    assert {face.strength for face in over_time(flickering, new_chooser())[REACH:-REACH]} == {1}


def test_changes_are_logged_once_with_their_time(caplog):
    caplog.set_level(logging.INFO, "vidrestore")
    over_time([SOFT] * 40 + [SHARP] * 40 + [SOFT] * 40, new_chooser())
    closed, opened = (record.getMessage() for record in caplog.records)
    assert re.match(r"track 1, from 4\.\d\d s on: .*: left alone$", closed)
    assert re.match(r"track 1, from [78]\.\d\d s on: .*: restored$", opened)
