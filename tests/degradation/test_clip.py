"""Degraded clips: repeatable, with timestamps, audio and pixel format unchanged."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support.clips import decode, pattern, write
from tests.support.reader import frames, packets
from vidrestore.degradation.clip import FRAME_LEVELS, degrade_clip
from vidrestore.media.frames.pixel_format import plane_views

PORTRAIT = Path(__file__).parents[2] / "samples" / "portrait.mp4"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames at irregular times, with two audio tracks."""
    images = [pattern(i, 160, 96, "yuv420p") for i in range(10)]
    times = [0, 3, 4, 6, 9, 10, 14, 15, 16, 18]
    return write(tmp_path_factory.mktemp("clips") / "clip.mkv", images, times=times, audio=2)


def luma(path: Path) -> np.ndarray:
    """The luma of a clip, (frames, height, width)."""
    return np.stack([plane_views(frame)[0].astype(float) for frame in decode(path)])


def test_timestamps_and_audio_are_kept(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    assert degrade_clip(clip, out, FRAME_LEVELS["mild"], seed=1) == 10
    assert [f.time for f in frames(out)] == [f.time for f in frames(clip)]
    assert packets(out, "0:a") == packets(clip, "0:a")


def test_the_file_depends_only_on_clip_level_and_seed(clip: Path, tmp_path: Path) -> None:
    threads = cv2.getNumThreads()
    found = set()
    for number in range(20):
        cv2.setNumThreads(1 + number % 3)
        degrade_clip(clip, tmp_path / "out.mp4", FRAME_LEVELS["medium"], seed=5, overwrite=True)
        found.add((tmp_path / "out.mp4").read_bytes())
    cv2.setNumThreads(threads)
    assert len(found) == 1
    degrade_clip(clip, tmp_path / "out.mp4", FRAME_LEVELS["medium"], seed=6, overwrite=True)
    assert (tmp_path / "out.mp4").read_bytes() not in found


def test_levels_on_a_portrait(tmp_path: Path) -> None:
    """Each level causes larger errors; none changes the brightness; noise differs between frames."""
    write(tmp_path / "portrait.mkv", decode(PORTRAIT)[:8], codec="ffv1")
    given = luma(tmp_path / "portrait.mkv")
    errors = []
    for level in ("mild", "medium", "heavy"):
        out = tmp_path / f"{level}.mp4"
        assert degrade_clip(tmp_path / "portrait.mkv", out, FRAME_LEVELS[level], seed=1) == 8
        found = luma(out)
        assert found.shape == given.shape
        assert found.mean() == pytest.approx(given.mean(), abs=0.6)
        errors.append(float(np.square(found - given).mean()))
        assert np.abs(np.diff(found - given, axis=0)).mean() > 0.3
    assert errors[0] * 1.5 < errors[1] < errors[2] / 1.2


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p", "yuv422p"])
def test_the_pixel_format_is_kept(pix_fmt: str, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mkv", [pattern(i, 64, 64, pix_fmt) for i in range(3)], codec="ffv1")
    out = tmp_path / "out.mkv"
    degrade_clip(source, out, FRAME_LEVELS["medium"], seed=1)
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == pix_fmt
    given, found = luma(source), luma(out)
    assert found.mean() == pytest.approx(given.mean(), rel=0.02)
    assert abs(found - given).mean() > 1


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "gray"])
def test_a_monochrome_clip_stays_monochrome(pix_fmt: str, tmp_path: Path) -> None:
    images = [pattern(i, 64, 64, pix_fmt) for i in range(3)]
    for image in images:
        for plane in plane_views(image)[1:]:
            plane[...] = 128
    source = write(tmp_path / "in.mkv", images, codec="ffv1")
    out = tmp_path / "out.mkv"
    degrade_clip(source, out, FRAME_LEVELS["heavy"], seed=1)
    for frame in decode(out):
        assert all(np.all(plane == 128) for plane in plane_views(frame)[1:])
