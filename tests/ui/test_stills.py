"""One picture's faces, restored again and again."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from vidrestore.errors import InputError
from vidrestore.faces.detection.load import load_detector
from vidrestore.options import Options
from vidrestore.restoration.fidelity.rules import Limits
from vidrestore.restoration.temporal.w_chooser import Chooser
from vidrestore.runtime.profile import Profile
from vidrestore.stages.models import Models
from vidrestore.stages.picture import restore_picture
from vidrestore.stages.setup import RestorerSetup
from vidrestore.stages.still_faces import find_faces
from vidrestore.ui.stills import Still, fitted, frame_at, photo_frame

SAMPLES = Path(__file__).parents[2] / "samples"


def chooser(w: float, strength: float = 1.0) -> Chooser:
    limits = Limits(min_size=0, max_sharpness=0, max_yaw=0)
    return Chooser(w=w, of_track={}, limits=limits, strength=strength)


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / "a.png"
    Image.fromarray(cv2.GaussianBlur(skimage.data.astronaut()[:256, 96:352], (0, 0), 2)).save(path)
    return path


@pytest.fixture(scope="module")
def models():
    setup = RestorerSetup.resolve(model="lite", device="cpu", precision="fp32", offline=True)
    return Models(setup, Profile(setup.device))


def test_another_w_restores_as_the_job_does_and_encodes_no_face_again(photo, models, monkeypatch):
    frame = photo_frame(photo)
    faces = find_faces(frame, load_detector("retinaface_mobile0.25", models.device, hints=True))
    still = Still(frame, faces, models)
    wanted = {}
    for w in (0.2, 0.9):
        other = photo_frame(photo)
        restore_picture(other, faces, models, chooser(w), batch=4)
        wanted[w] = other.image().planes
    encoded = []
    observe = models.observe
    monkeypatch.setattr(models, "observe", lambda faces: encoded.append(len(faces)) or observe(faces))
    for w in (0.2, 0.9, 0.2):
        shown, decided = still.restored(chooser(w))
        planes = zip(shown.image().planes, wanted[w], strict=True)
        assert all(np.array_equal(ours, theirs) for ours, theirs in planes)
        assert [face.restored for face in decided] == [True]
    assert encoded == [1]


def test_the_picture_itself_is_not_changed(photo, models):
    frame = photo_frame(photo)
    before = [plane.copy() for plane in frame.image().planes]
    faces = find_faces(frame, load_detector("retinaface_mobile0.25", models.device, hints=True))
    still = Still(frame, faces, models)
    shown, decided = still.restored(chooser(0.5, strength=0.0))
    assert not decided[0].restored
    still.restored(chooser(0.5))
    for plane, ours, old in zip(frame.image().planes, shown.image().planes, before, strict=True):
        assert np.array_equal(plane, old)
        assert np.array_equal(ours, old)


def test_the_frame_at_a_time():
    given = Options(input=SAMPLES / "portrait.mp4")
    assert frame_at(given, 0.0).time == 0
    assert abs(float(frame_at(given, 1.0).time) - 1) < 0.03
    with pytest.raises(InputError, match="no frame at"):
        frame_at(given, 100)


def test_the_frame_is_that_of_the_chosen_video_and_deinterlaced(tmp_path):
    def moving(number: int) -> np.ndarray:
        return np.random.default_rng(number).integers(0, 255, (48, 64), np.uint8)

    with av.open(str(tmp_path / "two.mkv"), "w") as container:
        streams = [container.add_stream("ffv1", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for number in range(4):
            pictures = moving(number), np.full((48, 64), 90, np.uint8)
            for stream, picture in zip(streams, pictures, strict=True):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="gray")))
        for stream in streams:
            container.mux(stream.encode(None))

    def shown(**options):
        frame = frame_at(Options(input=tmp_path / "two.mkv", **options), 0.04)
        return frame.image().planes[0]

    assert np.array_equal(shown(deinterlace="off"), moving(1))
    same = (shown(deinterlace="bwdif") == moving(1)).mean(axis=1)
    assert min(same[::2].mean(), same[1::2].mean()) < 0.2, "one field is made anew"
    assert max(same[::2].mean(), same[1::2].mean()) == 1, "the other is kept"
    assert (shown(video_stream=1, deinterlace="off") == 90).all()


def test_a_text_is_no_photo(tmp_path):
    (tmp_path / "a.png").write_text("text")
    with pytest.raises(InputError):
        photo_frame(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("size", "then"), [((40, 20), (40, 20)), ((400, 100), (100, 25)), ((3, 4000), (1, 100))]
)
def test_a_picture_is_made_to_fit(size, then):
    assert fitted(np.zeros((size[1], size[0], 3), np.uint8), 100).shape[1::-1] == then
