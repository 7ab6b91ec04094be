"""tools/degrade.py: a clip degraded, the same each time, with nothing else of it changed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support.clips import decode, pattern, write
from tests.support.reader import frames, packets
from vidrestore.media.frames.pixel_format import plane_views

ROOT = Path(__file__).parents[2]
PORTRAIT = ROOT / "samples" / "portrait.mp4"

_spec = importlib.util.spec_from_file_location("tools_degrade", ROOT / "tools" / "degrade.py")
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames of uneven times, with sound."""
    pictures = [pattern(i, 160, 96, "yuv420p") for i in range(10)]
    times = [0, 3, 4, 6, 9, 10, 14, 15, 16, 18]
    return write(tmp_path_factory.mktemp("clips") / "clip.mkv", pictures, times=times, audio=2)


def luma(path: Path) -> np.ndarray:
    """(frames, height, width) of a clip."""
    return np.stack([plane_views(frame)[0].astype(float) for frame in decode(path)])


def test_times_and_sound_stay(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    assert tool.main([str(clip), str(out), "--level", "mild"]) == 0
    assert [f.time for f in frames(out)] == [f.time for f in frames(clip)]
    assert packets(out, "0:a") == packets(clip, "0:a")


def test_the_same_each_time_on_any_number_of_threads(clip: Path, tmp_path: Path) -> None:
    threads = cv2.getNumThreads()
    found = set()
    for number in range(20):
        cv2.setNumThreads(1 + number % 3)
        assert tool.main([str(clip), str(tmp_path / "out.mp4"), "-y", "--seed", "5"]) == 0
        found.add((tmp_path / "out.mp4").read_bytes())
    cv2.setNumThreads(threads)
    assert len(found) == 1
    assert tool.main([str(clip), str(tmp_path / "out.mp4"), "-y", "--seed", "6"]) == 0
    assert (tmp_path / "out.mp4").read_bytes() not in found


def test_levels_on_a_portrait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hurts more than the one before; none changes brightness; noise differs between frames."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "portrait.mkv", decode(PORTRAIT)[:8], codec="ffv1")
    given = luma(tmp_path / "portrait.mkv")
    errors = []
    for level in ("mild", "medium", "heavy"):
        assert tool.main(["portrait.mkv", "--level", level]) == 0
        found = luma(tmp_path / f"portrait_{level}.mp4")
        assert found.shape == given.shape
        assert found.mean() == pytest.approx(given.mean(), abs=0.6)
        errors.append(float(np.square(found - given).mean()))
        assert np.abs(np.diff(found - given, axis=0)).mean() > 0.3
    assert errors[0] * 1.5 < errors[1] < errors[2] / 1.2


@pytest.mark.parametrize("pix_fmt", ["yuv420p10le", "yuv444p", "yuv422p"])
def test_other_formats_keep_theirs(pix_fmt: str, tmp_path: Path) -> None:
    source = write(tmp_path / "in.mkv", [pattern(i, 64, 64, pix_fmt) for i in range(3)], codec="ffv1")
    out = tmp_path / "out.mkv"
    assert tool.main([str(source), str(out)]) == 0
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == pix_fmt
    given, found = luma(source), luma(out)
    assert found.mean() == pytest.approx(given.mean(), rel=0.02)
    assert abs(found - given).mean() > 1


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "gray"])
def test_grey_footage_stays_grey(pix_fmt: str, tmp_path: Path) -> None:
    pictures = [pattern(i, 64, 64, pix_fmt) for i in range(3)]
    for picture in pictures:
        for plane in plane_views(picture)[1:]:
            plane[...] = 128
    source = write(tmp_path / "in.mkv", pictures, codec="ffv1")
    out = tmp_path / "out.mkv"
    assert tool.main([str(source), str(out), "--level", "heavy"]) == 0
    for frame in decode(out):
        assert all(np.all(plane == 128) for plane in plane_views(frame)[1:])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: [folder / "none.mp4"], "does not exist"),
        (lambda folder: [folder / "text.mp4"], "cannot be read as a video"),
        (lambda folder: [PORTRAIT, folder / "text.mp4"], "exists; give -y"),
        (lambda folder: [PORTRAIT, folder / "out.gif"], "does not have the extension of a container"),
        (lambda folder: [PORTRAIT, folder / "out.mp4", "--seed", "-1"], "--seed -1 is negative"),
    ],
    ids=["missing", "no video", "out exists", "no container", "seed"],
)
def test_bad_input_is_one_sentence(make, says: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.mp4").write_text("no video, " * 100)
    assert tool.main([str(word) for word in make(tmp_path)]) != 0
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["text.mp4"]


def test_an_output_is_replaced_when_told(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    out.write_text("old")
    assert tool.main([str(clip), str(out), "-y"]) == 0
    assert len(decode(out)) == 10
