"""What the page shows of a file before it is restored."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

import vidrestore
from vidrestore.errors import InputError
from vidrestore.ui.looking import Looking

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def looking():
    return Looking()


@pytest.fixture(scope="module")
def tracks(tmp_path_factory):
    path = tmp_path_factory.mktemp("tracks") / "tracks.json"
    vidrestore.analyze(SAMPLES / "scenes.mkv", path, start=2.4, duration=0.4, offline=True)
    return str(path)


def picture(uri: str) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)


def test_persons_have_faces_and_moments(looking, tracks):
    found = looking({"do": "persons", "path": str(SAMPLES / "scenes.mkv"), "tracks": tracks})
    assert [person["frames"] for person in found["persons"]] == [10, 10]
    for person in found["persons"]:
        assert picture(person["face"]).shape == (112, 112, 3)
    assert found["moments"]
    assert all(moment["person"] in (1, 2) for moment in found["moments"])
    assert (found["shots"], found["left_out"]) == ([2.4], 0)


def look(looking, tracks, person=1, time=2.6, **options):
    path = str(SAMPLES / "scenes.mkv")
    request = {"do": "look", "path": path, "tracks": tracks, "time": time, "person": person}
    return looking(request | {"options": {"model": "lite", "max_sharpness": "0", **options}})


def test_a_face_before_and_after(looking, tracks):
    found = look(looking, tracks, w="0")
    before, after = picture(found["before"]), picture(found["after"])
    assert before.shape == after.shape
    assert list(before.shape[1::-1]) == list(found["size"])
    assert np.abs(before.astype(int) - after).max() > 20
    assert [face["restored"] for face in found["faces"]] == [True]
    assert found["model"] == "lite"
    assert look(looking, tracks, w="1")["after"] != found["after"]
    assert look(looking, tracks, person=2)["before"] != found["before"]


def test_what_is_not_on_this_machine_is_not_waited_for(tracks, monkeypatch, tmp_path):
    monkeypatch.setenv("VIDRESTORE_CACHE", str(tmp_path))
    monkeypatch.delenv("VIDRESTORE_OFFLINE", raising=False)
    fresh = Looking()
    found = look(fresh, tracks, model="auto")
    assert (found["model"], found["run_model"]) == ("lite", "codeformer")
    with pytest.raises(InputError, match="not on this machine yet"):
        look(fresh, tracks, model="codeformer")


def test_a_face_is_shown_enlarged(looking, tracks):
    plain, larger = look(looking, tracks, w="0"), look(looking, tracks, w="0", upscale="2")
    assert (larger["upscale"], larger["enlarged"], larger["part"]) == (2, 2, True)
    small, before, after = (picture(each) for each in (plain["after"], larger["before"], larger["after"]))
    assert before.shape == after.shape
    assert abs(before.shape[0] - 2 * small.shape[0]) <= 2
    reduced = cv2.resize(after, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(reduced.astype(int) - small).mean() < 4


def test_a_face_that_is_left_alone_is_said(looking, tracks):
    found = look(looking, tracks, strength="0")
    assert [face["restored"] for face in found["faces"]] == [False]
    assert np.array_equal(picture(found["before"]), picture(found["after"]))


def test_only_so_many_pictures_are_kept(tracks, monkeypatch):
    fresh = Looking()
    for time in (2.48, 2.52, 2.6):
        look(fresh, tracks, time=time)
    assert len(fresh._stills) == 3
    monkeypatch.setattr("vidrestore.ui.looking._PIXELS", 2 * 480 * 360)
    look(fresh, tracks, time=2.64)
    assert len(fresh._stills) == 2


def test_a_person_who_is_not_there_is_said(looking, tracks):
    with pytest.raises(InputError, match="not seen"):
        look(looking, tracks, person=9)


def test_a_photo_is_shown_whole_and_as_it_is_displayed(looking, tmp_path):
    upright = cv2.GaussianBlur(skimage.data.astronaut()[:256, 96:352], (0, 0), 2)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to display
    Image.fromarray(np.ascontiguousarray(np.rot90(upright))[:, :200]).save(tmp_path / "a.png", exif=exif)
    path = str(tmp_path / "a.png")
    request = {"do": "look", "path": path, "tracks": None, "time": 0.0, "person": None}
    found = looking(request | {"options": {"model": "lite"}})
    shown = picture(found["before"])
    assert shown.shape == (200, 256, 3)
    assert np.abs(shown[..., ::-1].astype(int) - upright[:200]).mean() < 6
    assert len(found["faces"]) == 1
    larger = looking(request | {"options": {"model": "lite", "upscale": "4"}})
    assert (larger["size"], larger["enlarged"], larger["part"]) == ((1024, 800), 4, False)
    assert picture(larger["before"]).shape == picture(larger["after"]).shape == (800, 1024, 3)


@pytest.mark.parametrize("orientation", [6, 7])
def test_of_a_large_photo_a_part_is_shown_enlarged(looking, tmp_path, orientation, monkeypatch):
    monkeypatch.setattr("vidrestore.ui.looking._WHOLE", 899)
    turned = {6: np.rot90, 7: lambda a: np.rot90(a, 2).swapaxes(0, 1)}
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = cv2.GaussianBlur(skimage.data.astronaut()[:300, 96:396], (0, 0), 2)
    Image.fromarray(np.ascontiguousarray(turned[orientation](upright))).save(tmp_path / "a.png", exif=exif)
    request = {"do": "look", "path": str(tmp_path / "a.png"), "tracks": None, "time": 0.0, "person": None}
    found = looking(request | {"options": {"model": "lite", "upscale": "3", "strength": "0"}})
    assert found["part"]
    before, after = picture(found["before"]), picture(found["after"])
    assert before.shape == after.shape
    assert np.abs(before.astype(int) - after).mean() < 2
    # It is the place around the face, displayed upright: it lies somewhere in the photo.
    shown = cv2.resize(before, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA)
    far = cv2.matchTemplate(np.ascontiguousarray(upright[..., ::-1]), shown, cv2.TM_SQDIFF_NORMED)
    assert far.min() < 0.002


def test_a_look_at_a_photo_restores_the_faces_that_a_run_would(looking, tmp_path):
    one = cv2.GaussianBlur(skimage.data.astronaut()[:256, 96:352], (0, 0), 2)
    Image.fromarray(np.hstack([one, one])).save(tmp_path / "a.png")
    Image.fromarray(one).save(tmp_path / "one.png")

    def faces(name: str = "a.png", **options: str) -> list[dict]:
        request = {"do": "look", "path": str(tmp_path / name), "tracks": None, "time": 0.0, "person": None}
        return looking(request | {"options": {"model": "lite", **options}})["faces"]

    assert len(faces()) == 2
    assert len(faces(only_center_face="true")) == 1
    assert len(faces(face=["2"])) == 1
    assert len(faces("one.png", aligned="true")) == 1
    with pytest.raises(InputError, match="--face 7 is not there"):
        faces(face=["7"])
