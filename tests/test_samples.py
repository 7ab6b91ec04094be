"""The clips in samples/ are as their README says, and as the tool makes them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import ModuleType

import av
import numpy as np
import pytest

from tests.support.tools import load_tool
from vidrestore.faces.detection.load import load_detector

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """``tools/make_samples.py``."""
    return load_tool("make_samples")


def pictures(path: Path) -> np.ndarray:
    """(N, H, W, 3) uint8 BGR."""
    with av.open(path) as container:
        return np.stack([frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)])


@pytest.mark.parametrize(
    ("name", "frames", "size", "rate", "streams"),
    [
        ("portrait.mp4", 96, (640, 360), Fraction(24), ["video", "audio"]),
        ("scenes.mkv", 92, (480, 360), Fraction(25), ["video", "audio", "audio", "subtitle"]),
        ("archive.mp4", 72, (480, 360), Fraction(24000, 1001), ["video"]),
    ],
)
def test_facts(name: str, frames: int, size: tuple[int, int], rate: Fraction, streams: list[str]) -> None:
    path = SAMPLES / name
    assert path.stat().st_size <= 1_000_000
    with av.open(path) as container:
        video = container.streams.video[0]
        assert [stream.type for stream in container.streams] == streams
        assert (video.width, video.height) == size
        assert video.average_rate == rate
        assert sum(1 for _ in container.decode(video)) == frames
        for index in range(len(container.streams.audio)):
            container.seek(0)
            sound = sum(frame.samples for frame in container.decode(audio=index))
            # An AAC track is made of whole frames of 1024 samples.
            assert sound / 48_000 == pytest.approx(float(frames / rate), abs=0.05)


def test_scenes_has_chapters_and_languages() -> None:
    with av.open(SAMPLES / "scenes.mkv") as container:
        assert container.metadata["title"] == "Two pioneers"
        assert [chapter["metadata"]["title"] for chapter in container.chapters()] == [
            "Eileen Collins",
            "Grace Hopper",
            "Both of them",
        ]
        languages = [stream.metadata.get("language") for stream in container.streams]
        assert languages == [None, "eng", "ger", "eng"]


@pytest.mark.parametrize(
    ("name", "faces"),
    [
        ("portrait.mp4", {0: 1, 20: 1, 40: 1, 55: 0, 72: 1, 95: 1}),
        ("scenes.mkv", {0: 1, 29: 1, 30: 1, 59: 1, 60: 2, 91: 2}),
        ("archive.mp4", {0: 1, 35: 1, 71: 1}),
    ],
)
def test_faces(name: str, faces: dict[int, int]) -> None:
    detector = load_detector("retinaface_mobile0.25", device="cpu")
    found = detector(pictures(SAMPLES / name)[list(faces)])
    sure = [[detection for detection in detections if detection.score > 0.8] for detections in found]
    assert [len(detections) for detections in sure] == list(faces.values())
    widths = [detection.box[2] - detection.box[0] for detections in sure for detection in detections]
    assert all(80 < width < 200 for width in widths)


def test_images_are_repeatable(tool: ModuleType) -> None:
    """The same images every time; the first one is the first frame of portrait.mp4."""
    way = tool.View(226, 140, 1.55, turn=-12), tool.View(232, 138, 1.60, turn=13)
    once, again = (tool.animate(tool.collins(), (640, 360), 3, *way) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    shipped = pictures(SAMPLES / "portrait.mp4")[::3].astype(float)
    errors = np.abs(shipped - once[0]).mean((1, 2, 3))
    assert errors.argmin() == 0


def test_remake_is_what_is_shipped(tool: ModuleType, tmp_path: Path) -> None:
    """The bytes may differ between versions of the encoder, the images hardly."""
    tool.archive(tmp_path / "archive.mp4")
    remade, shipped = pictures(tmp_path / "archive.mp4"), pictures(SAMPLES / "archive.mp4")
    assert remade.shape == shipped.shape
    error = np.square(remade.astype(float) - shipped).mean()
    assert 10 * np.log10(255**2 / max(error, 1e-9)) > 35
