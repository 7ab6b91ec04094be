"""All metrics of clips: of a still scene, without a face, and means of tables."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from tests.support.clips import decode, write
from vidrestore.errors import InputError
from vidrestore.faces.detection.load import load_detector
from vidrestore.measure import clip_metrics
from vidrestore.measure.clip_metrics import mean_rows, measure_clips
from vidrestore.measure.clips import ClipFace
from vidrestore.measure.face_metrics import FaceComparison
from vidrestore.measure.still import write_still
from vidrestore.media.timeline import Span

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


class MeanDifference:
    """A stub of FaceMeter: the mean absolute difference."""

    def clean_face(self, clean: torch.Tensor) -> torch.Tensor:
        return clean

    def compare(self, images: torch.Tensor, clean: torch.Tensor) -> FaceComparison:
        difference = (images.float() - clean.float()).abs().mean(dim=(1, 2, 3)).numpy()
        return FaceComparison({"identity": difference}, np.zeros((len(images), 1)))


def test_a_still_scene(tmp_path: Path) -> None:
    clean, bright = tmp_path / "clean.mkv", tmp_path / "bright.mkv"
    write_still(SAMPLE, clean, frames=8)
    frames = decode(clean)
    for i, frame in enumerate(frames):
        if i % 2:
            luma = np.frombuffer(frame.planes[0], np.uint8)
            np.copyto(luma, np.minimum(luma, 225) + 4)
    write(bright, frames, codec="ffv1")
    clips = {"same": clean, "bright": bright}
    detector = load_detector("retinaface_mobile0.25", "cpu")
    found = measure_clips(clean, clips, detector, MeanDifference(), every=3, shown=2, still=True)
    assert (found.frames, found.tracks) == (list(range(8)), [1] * 8)
    same, flickers = found.rows["same"], found.rows["bright"]
    for key in ("identity", "warping", "flicker", "static", "jitter", "raw_jitter"):
        assert same[key] == pytest.approx(0, abs=1e-4), key
    # Limited range: 4 of 219 steps are 4.66 of 255; half of the frames are 2.33 below the mean, half above.
    step = 4 * 255 / 219
    assert flickers["flicker"] == pytest.approx(step, abs=0.3)
    assert flickers["warping"] == pytest.approx(step, abs=0.3)
    assert flickers["static"] == pytest.approx(step / 2 * np.sqrt(8 / 7), abs=0.2)
    assert len(found.series["same"]["identity"]) == 3
    assert len(found.series["same"]["flicker"]) == 7
    assert 2 <= len(found.sheet) <= 4
    assert {len(images) for _, images in found.sheet} == {3}
    assert found.extent == "8 faces in 8 frames"
    data = found.data("clips")
    assert data["faces"] == {"frame": list(range(8)), "track": [1] * 8, "measured": [0, 3, 6]}
    assert data["clips"]["same"]["per_face"] == found.series["same"]


def test_all_persons_are_measured_in_every_nth_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces were counted, and those of a frame come in the order of tracks: every tenth was one person."""
    image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    faces = [ClipFace(frame, track, image, image[None]) for frame in range(40) for track in (1, 2)]
    monkeypatch.setattr(clip_metrics, "clip_faces", lambda *_, **__: iter(faces))
    monkeypatch.setattr(clip_metrics, "landmark_jitter", lambda *_, **__: {})
    nothing = SimpleNamespace(add=lambda face: None, figures=dict, series=dict)
    monkeypatch.setattr(clip_metrics, "SteadinessMeter", lambda: nothing)
    clips = {"same": tmp_path / "clip.mkv"}
    found = measure_clips(tmp_path / "clean.mkv", clips, None, MeanDifference(), every=10, shown=4)  # type: ignore[arg-type]
    measured = [(found.frames[i], found.tracks[i]) for i in found.measured]
    assert measured == [(frame, track) for frame in (0, 10, 20, 30) for track in (1, 2)]
    assert len(found.series["same"]["identity"]) == len(measured)
    labels = [label for label, _ in found.sheet]
    assert 4 <= len(labels) <= 8
    assert {label.split()[-1] for label in labels} == {"1", "2"}


def test_no_face_lies_in_an_nth_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures of single images are omitted; those over time are there."""
    image = torch.arange(3 * 512 * 512).view(3, 512, 512).remainder(251).byte()
    faces = [ClipFace(frame, 1, image, (image // frame)[None]) for frame in range(1, 6)]
    monkeypatch.setattr(clip_metrics, "clip_faces", lambda *_, **__: iter(faces))
    monkeypatch.setattr(clip_metrics, "landmark_jitter", lambda *_, **__: {"jitter": np.array([np.nan])})
    clips = {"same": tmp_path / "clip.mkv"}
    found = measure_clips(tmp_path / "clean.mkv", clips, None, MeanDifference(), every=10)  # type: ignore[arg-type]
    assert found.measured == []
    assert {"face_psnr", "warping", "flicker"} <= set(found.rows["same"])
    assert not {"identity", "identity_median", "jitter"} & set(found.rows["same"])
    data = json.loads(json.dumps(found.data("clips"), allow_nan=False))
    assert set(data["clips"]["same"]["per_face"]) == {"warping", "flicker"}


def test_no_face(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((64, 64, 3), 90, np.uint8))
    write_still(tmp_path / "grey.png", tmp_path / "grey.mkv", frames=3)
    detector = load_detector("retinaface_mobile0.25", "cpu")
    with pytest.raises(InputError, match="no face was found"):
        measure_clips(tmp_path / "grey.mkv", {}, detector, MeanDifference(), span=Span(end=Fraction(2, 25)))


def test_means_of_tables() -> None:
    tables = [{"a": {"x": 1.0, "y": 2.0}, "b": {"x": 5.0}}, {"a": {"x": 2.0}, "b": {"x": 6.0}}]
    assert mean_rows(tables) == {"a": {"x": 1.5}, "b": {"x": 5.5}}
