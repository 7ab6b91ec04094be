"""Who gets which w, and how much of the restoration."""

from __future__ import annotations

import logging

import pytest

from vidrestore.restore.fidelity.face_quality import Condition
from vidrestore.restore.fidelity.rules import choose_w
from vidrestore.restore.temporal.face_crop import Portrait
from vidrestore.restore.temporal.w_chooser import Chooser, Limits, is_wanted

SOFT = Condition(size=60, sharpness=0.3, noise=2.0, yaw=0.1)
SHARP = Condition(size=200, sharpness=1.0, noise=1.0, yaw=0.1)
OPEN = Limits(min_size=20, max_sharpness=0.95, max_yaw=0.8)


def portrait(condition: Condition, track: int = 1) -> Portrait:
    return Portrait(track=track, image=None, view=None, condition=condition)


def chosen(condition: Condition, around: tuple[Condition, ...] = (), **settings) -> Portrait:
    given = {"w": None, "of_track": lambda track: None, "limits": OPEN, "strength": 1.0} | settings
    return Chooser(**given)(portrait(condition), [(i + 1, portrait(c)) for i, c in enumerate(around)])


def test_w_comes_from_the_run_the_track_or_the_face():
    assert chosen(SOFT, w=0.7).w == 0.7
    assert chosen(SOFT, w=0.7, of_track={1: 0.2}.get).w == 0.2
    assert chosen(SOFT, of_track={1: 0.2}.get).w == 0.2
    assert chosen(SOFT, of_track={2: 0.2}.get).w == choose_w(SOFT)
    assert chosen(SHARP).w > chosen(SOFT).w


def test_a_zero_is_a_w():
    assert chosen(SOFT, w=0.0).w == 0.0
    assert chosen(SOFT, w=0.7, of_track={1: 0.0}.get).w == 0.0


def test_one_odd_frame_does_not_count():
    assert chosen(SHARP, (SOFT,) * 6).w == chosen(SOFT, (SOFT,) * 6).w


@pytest.mark.parametrize(
    ("condition", "limit"),
    [
        (SHARP, "max_sharpness"),
        (Condition(size=12, sharpness=0.2, noise=2.0, yaw=0.1), "min_size"),
        (Condition(size=60, sharpness=0.3, noise=2.0, yaw=0.95), "max_yaw"),
    ],
    ids=["sharp", "tiny", "in profile"],
)
def test_each_gate_has_its_option(condition, limit):
    assert not is_wanted(chosen(condition))
    opened = {name: getattr(OPEN, name) for name in ("min_size", "max_sharpness", "max_yaw")} | {limit: 0}
    assert is_wanted(chosen(condition, limits=Limits(**opened)))


def test_strength_is_a_share_of_what_the_gates_let_through():
    assert chosen(SOFT, strength=0.4).strength == pytest.approx(0.4 * chosen(SOFT).strength)


def test_each_track_is_explained_once(caplog):
    caplog.set_level(logging.INFO, "vidrestore")
    chooser = Chooser(w=None, of_track=lambda track: None, limits=OPEN, strength=1.0)
    for track in (1, 1, 2, 1, 2):
        chooser(portrait(SOFT if track == 1 else SHARP, track), [])
    first, second = (record.getMessage() for record in caplog.records)
    assert first.startswith("track 1: 60 px, ")
    assert f"w {choose_w(SOFT):.2f}" in first
    assert second.startswith("track 2: ")
    assert second.endswith("left alone")
