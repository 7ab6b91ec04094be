"""Clips measured as a whole, and scenes that do not move."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.support.clips import decode, write
from vidrestore.errors import InputError, UsageError
from vidrestore.faces.detection.load import load_detector
from vidrestore.measure.clip_metrics import mean_rows, measure_clips
from vidrestore.measure.face_metrics import Comparison
from vidrestore.measure.settings import Setting, check_settings, each_part_off, read_setting
from vidrestore.measure.still import write_still
from vidrestore.media.timeline import Span

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


class Offsets:
    """In the place of a FaceMeter: the mean difference."""

    def reference(self, clean: torch.Tensor) -> torch.Tensor:
        return clean

    def compare(self, pictures: torch.Tensor, reference: torch.Tensor) -> Comparison:
        off = (pictures.float() - reference.float()).abs().mean(dim=(1, 2, 3)).numpy()
        return Comparison({"identity": off}, np.zeros((len(pictures), 1)))


def test_a_still_scene(tmp_path: Path) -> None:
    clean, bright = tmp_path / "clean.mkv", tmp_path / "bright.mkv"
    write_still(SAMPLE, clean, frames=8)
    frames = decode(clean)
    assert len({frame.to_ndarray().tobytes() for frame in frames}) == 1
    assert (frames[0].width, frames[0].height, frames[0].format.name) == (640, 360, "yuv420p")
    for i, frame in enumerate(frames):
        if i % 2:
            luma = np.frombuffer(frame.planes[0], np.uint8)
            np.copyto(luma, np.minimum(luma, 225) + 4)
    write(bright, frames, codec="ffv1")
    clips = {"same": clean, "bright": bright}
    detector = load_detector("retinaface_mobile0.25", "cpu")
    found = measure_clips(clean, clips, detector, Offsets(), every=3, shown=2, still=True)
    assert (found.frames, found.tracks) == (list(range(8)), [1] * 8)
    same, flickers = found.rows["same"], found.rows["bright"]
    for key in ("identity", "warping", "flicker", "static", "jitter", "raw_jitter"):
        assert same[key] == pytest.approx(0, abs=1e-4), key
    # Limited range: 4 of 219 steps are 4.66 of 255; half of the frames lie 2.33 below, half above.
    step = 4 * 255 / 219
    assert flickers["flicker"] == pytest.approx(step, abs=0.3)
    assert flickers["warping"] == pytest.approx(step, abs=0.3)
    assert flickers["static"] == pytest.approx(step / 2 * np.sqrt(8 / 7), abs=0.2)
    assert len(found.series["same"]["identity"]) == 3
    assert len(found.series["same"]["flicker"]) == 7
    assert 2 <= len(found.sheet) <= 4
    assert {len(pictures) for _, pictures in found.sheet} == {3}


def test_a_picture_of_odd_sides(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.png"), np.full((33, 47, 3), (0, 0, 255), np.uint8))
    write_still(tmp_path / "red.png", tmp_path / "still.mkv", frames=3)
    frames = decode(tmp_path / "still.mkv")
    assert [(frame.width, frame.height) for frame in frames] == [(46, 32)] * 3
    assert frames[0].to_ndarray(format="rgb24").mean(axis=(0, 1)) == pytest.approx([255, 0, 0], abs=3)


def test_no_face(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((64, 64, 3), 90, np.uint8))
    write_still(tmp_path / "grey.png", tmp_path / "grey.mkv", frames=3)
    detector = load_detector("retinaface_mobile0.25", "cpu")
    with pytest.raises(InputError, match="no face was found"):
        measure_clips(tmp_path / "grey.mkv", {}, detector, Offsets(), span=Span(end=Fraction(2, 25)))


def test_means_of_tables() -> None:
    tables = [{"a": {"x": 1.0, "y": 2.0}, "b": {"x": 5.0}}, {"a": {"x": 2.0}, "b": {"x": 6.0}}]
    assert mean_rows(tables) == {"a": {"x": 1.5}, "b": {"x": 5.5}}


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("full:", Setting("full")),
        ("true : --w 0.9 --weights 'my file'", Setting("true", ("--w", "0.9", "--weights", "my file"))),
    ],
)
def test_reading_a_setting(text: str, setting: Setting) -> None:
    assert read_setting(text) == setting


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["--w 0.5"], "'--w 0.5' has no name; write 'NAME: OPTIONS'"),
        ([": --w 0.5"], "has no name"),
        (["open: 'quote"], "cannot be read"),
        (["a:", "a: --w 1"], "two rows are called a;"),
        (["input: --w 1"], "two rows are called input;"),
    ],
)
def test_settings_that_cannot_be(texts: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_settings([read_setting(text) for text in texts])


def test_each_part_off() -> None:
    words = {setting.name: setting.words for setting in each_part_off(("a", "b", "c"))}
    assert words == {
        "per-frame": ("--steady", "none"),
        "full": (),
        "no a": ("--steady", "b,c"),
        "no b": ("--steady", "a,c"),
        "no c": ("--steady", "a,b"),
    }
