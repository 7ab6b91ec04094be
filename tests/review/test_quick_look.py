"""A quick look over a video finds its faces, and few frames are read."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from tests.support.clips import write
from tests.support.runs import face_frame
from tests.support.tiny import save_weights
from vidrestore.media.decode.decoder import Decoder
from vidrestore.options import Options
from vidrestore.review import quick_look as module
from vidrestore.review.quick_look import places_of, quick_look
from vidrestore.stages.networks import Networks
from vidrestore.stages.setup import Setup


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """Four seconds, in which a face moves to the left."""
    frames = [face_frame(160, 120, "yuv420p", shift=2 * (i // 4)) for i in range(100)]
    return write(tmp_path_factory.mktemp("quick") / "in.mp4", frames, options={"g": "25"})


def look(clip: Path, **settings):
    options = Options(input=clip, model="lite", max_sharpness=0, **settings)
    with Decoder(clip) as decoder:
        source = decoder.source
    return options, Setup.resolve(options, source), source, Networks()


def test_faces_are_found_at_places_all_over_the_video(clip):
    found = list(quick_look(*look(clip)))
    assert [len(faces) for faces in found] == [1, 1]
    times = [float(faces[0].time) for faces in found]
    assert times == pytest.approx([1, 3], abs=0.05)
    for (sight,) in found:
        assert 25 < sight.size < 70
        assert 0 <= sight.yaw < 0.5
        assert 0.8 <= (sight.score or 0) <= 1
        assert 0 <= (sight.speed or 0) < 0.2
        assert 0 < (sight.sharpness or 0) <= 1
        assert 0 < sight.place[0] < 160


@pytest.mark.parametrize("settings", [{"min_face": 100}, {"max_yaw": 1e-6}], ids=str)
def test_faces_that_a_run_leaves_alone_do_not_count(clip, settings):
    assert list(quick_look(*look(clip, **settings))) == [[], []]


@pytest.mark.parametrize("task", ["colour", "inpaint"])
def test_faces_of_which_a_task_changes_nothing_do_not_count(clip, tmp_path, task):
    """One in colour, or without a hole."""
    weights = save_weights(tmp_path / "tiny.safetensors")
    options, setup, source, networks = look(clip, task=task, weights=weights)
    assert list(quick_look(options, setup, source, networks)) == [[], []]
    if task == "inpaint":
        Image.new("L", (160, 120), "white").save(tmp_path / "mask.png")
        holed = replace(options, mask=tmp_path / "mask.png")
        assert [len(faces) for faces in quick_look(holed, setup, source, networks)] == [1, 1]


def test_a_video_of_unknown_length_is_read_through(clip):
    options, setup, source, networks = look(clip)
    found = list(quick_look(options, setup, replace(source, duration=None), networks))
    assert [faces[0].speed for faces in found] == [None] * 3
    assert [float(faces[0].time) for faces in found] == pytest.approx([0, 1.52, 3.04])


@pytest.mark.parametrize(("seconds", "places"), [(1, 1), (9, 6), (60, 12), (120, 18), (7200, 24)])
def test_of_a_short_video_fewer_places_are_looked_at(clip, seconds, places):
    *_, source, _ = look(clip)
    assert places_of(replace(source, duration=Fraction(seconds))) == places


def test_the_number_of_places_is_bounded(clip, monkeypatch):
    monkeypatch.setattr(module, "PLACES", 1)
    assert len(list(quick_look(*look(clip)))) == 1
