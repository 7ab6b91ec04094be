"""The same faces of several clips, cropped at the same places."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.clips import decode, write
from vidrestore.errors import InputError
from vidrestore.faces.detection.load import load_detector
from vidrestore.measure.clips import clip_faces
from vidrestore.media.timeline import Span

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"
LOSSLESS = {"qp": "0", "preset": "ultrafast"}
FRAMES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of clean.mkv, and of dark.mkv, short.mkv and small.mkv with the same frames."""
    path = tmp_path_factory.mktemp("clips")
    frames = decode(SAMPLE)[:FRAMES]
    write(path / "clean.mkv", frames, options=LOSSLESS)
    write(path / "short.mkv", frames[:4], options=LOSSLESS)
    write(path / "small.mkv", [f.reformat(320, 180) for f in frames], options=LOSSLESS)
    dark = [f.to_ndarray() for f in frames]
    for planes in dark:
        planes[: frames[0].height] //= 2  # the luma
    write(path / "dark.mkv", [av.VideoFrame.from_ndarray(p, "yuv420p") for p in dark], options=LOSSLESS)
    return path


def test_faces_are_cropped_at_the_same_places(folder: Path) -> None:
    detector = load_detector("retinaface_mobile0.25", "cpu")
    clips = [folder / "clean.mkv", folder / "dark.mkv"]
    faces = list(clip_faces(folder / "clean.mkv", clips, detector, size=128))
    assert [(face.frame, face.track) for face in faces] == [(i, 1) for i in range(FRAMES)]
    for face in faces:
        same, dark = face.images
        assert same.shape == (3, 128, 128)
        assert (same == face.clean).all()
        # Half the luma at the same place: the images differ in little but brightness.
        luma = [np.asarray(p.float().mean(0)).ravel() for p in (face.clean, dark)]
        assert np.corrcoef(*luma)[0, 1] > 0.99
        assert luma[1].mean() < 0.6 * luma[0].mean()


def test_a_span(folder: Path) -> None:
    detector = load_detector("retinaface_mobile0.25", "cpu")
    # The length beyond the span does not matter.
    clips, span = [folder / "short.mkv"], Span(end=Fraction(4, 25))
    faces = list(clip_faces(folder / "clean.mkv", clips, detector, size=64, span=span))
    assert [face.frame for face in faces] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("reference", "clip", "sentence"),
    [
        ("clean.mkv", "short.mkv", "short.mkv ends after 4 frames but .*clean.mkv is longer"),
        ("short.mkv", "clean.mkv", "short.mkv ends after 4 frames but .*clean.mkv is longer"),
        ("clean.mkv", "small.mkv", "small.mkv has frames of 320 x 180 but .*clean.mkv of 640 x 360"),
        ("clean.mkv", "missing.mkv", "missing.mkv does not exist"),
    ],
)
def test_clips_that_do_not_match(folder: Path, reference: str, clip: str, sentence: str) -> None:
    detector = load_detector("retinaface_mobile0.25", "cpu")
    with pytest.raises(InputError, match=sentence):
        list(clip_faces(folder / reference, [folder / clip], detector, size=128))
