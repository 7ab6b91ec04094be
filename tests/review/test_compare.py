"""``--compare``: the second video holds both versions, with the sound and the times, and leaves OUT alone."""

from __future__ import annotations

import re
from base64 import b64decode
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.support import reader
from tests.support.clips import decode, pattern
from tests.support.drifting import drifting_face, quick_options
from vidrestore.dry_run import plan
from vidrestore.errors import OutputError, UsageError
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.media.output.writer import StreamWriter
from vidrestore.pipeline import restore_video

COUNT, SIZE = 8, 156  # padded to 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compare")
    drifting_face(folder, COUNT, size=SIZE)
    restore_video(quick_options(folder, output=folder / "alone.mkv"))
    return folder


def frames(path: Path) -> list[tuple[Fraction, str]]:
    return [(line.time, line.digest) for line in reader.frames(path)]


def luma(path: Path) -> np.ndarray:
    return np.stack([plane_views(video)[0].copy() for video in decode(path)])


@pytest.mark.parametrize("layout", ["side-by-side", "wipe"])
def test_both_versions_are_shown_as_they_are(folder, tmp_path, layout):
    out, shown = tmp_path / "out.mkv", tmp_path / "compare.mkv"
    restore_video(quick_options(folder, output=out, compare=shown, compare_layout=layout))
    assert frames(out) == frames(folder / "alone.mkv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compare.mkv", "out.mkv"]
    assert [line.time for line in reader.frames(shown)] == [line.time for line in reader.frames(out)]
    assert reader.packets(shown, "0:a") == reader.packets(out, "0:a")
    before, after, both = luma(folder / "in.mp4"), luma(out), luma(shown)
    assert not np.array_equal(before, after)
    assert both[0, 160:].max() > 180, "labels"
    if layout == "side-by-side":
        assert np.array_equal(both[:, :SIZE, :SIZE], before)
        assert np.array_equal(both[:, :SIZE, 160 : 160 + SIZE], after)
    else:
        picture = both[:, :SIZE, :SIZE]
        assert np.array_equal(picture[0, :, 4:], after[0, :, 4:]), "the line begins at the left"
        assert ((picture == before) | (picture == after)).mean() > 0.9
        assert not np.array_equal(picture[0, :, :8], picture[7, :, :8]), "it moves"


def failing(name: str):
    """A writer whose disk is full as soon as it writes the file ``name``."""
    real = StreamWriter.write

    def write(self, frame, info=None):
        if self._out.name == name:
            raise OutputError(f"{name} cannot be written: No space left on device")
        real(self, frame, info)

    return write


def test_a_full_disk_costs_the_comparison_only(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(StreamWriter, "write", failing("compare.mkv"))
    with pytest.raises(OutputError, match="No space left") as caught:
        restore_video(quick_options(folder, output=tmp_path / "out.mkv", compare=tmp_path / "compare.mkv"))
    assert caught.value.__notes__ == [f"{tmp_path / 'out.mkv'} is complete"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.mkv"]
    assert frames(tmp_path / "out.mkv") == frames(folder / "alone.mkv")


def test_a_run_interrupted_while_it_compares_resumes(folder, tmp_path, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    given = quick_options(folder, output=tmp_path / "out.mkv", compare=tmp_path / "compare.mkv")
    with monkeypatch.context() as patch:
        patch.setattr(StreamWriter, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            restore_video(given, segment_length=4)
    assert [path.name for path in tmp_path.iterdir()] == [".out.mkv.vidrestore"]
    assert restore_video(given, segment_length=4).resumed == COUNT
    assert sorted(path.name for path in tmp_path.iterdir()) == ["compare.mkv", "out.mkv"]


@pytest.mark.parametrize(
    ("compare", "output", "error", "words"),
    [
        ("there.mkv", "out.mkv", OutputError, "there.mkv exists; give -y to replace it"),
        ("out.mkv", "out.mkv", OutputError, "is OUT itself"),
        ("in.mp4", "out.mkv", OutputError, "is the input itself"),
        ("none/c.mkv", "out.mkv", OutputError, "does not exist"),
        ("c.txt", "out.mkv", UsageError, "does not have the extension of a container"),
        ("c.mkv", "-", UsageError, "--compare needs OUT to be a file"),
        ("-", "out.mkv", UsageError, "--compare needs a file"),
        ("c.webm", "out.mkv", UsageError, "ffv1"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(
    folder, tmp_path, monkeypatch, compare, output, error, words
):
    monkeypatch.chdir(tmp_path)
    Path("in.mp4").write_bytes((folder / "in.mp4").read_bytes())
    Path("there.mkv").write_bytes(b"mine")
    given = quick_options(folder, input="in.mp4", output=output, compare=compare)
    with pytest.raises(error, match=words):
        restore_video(given)
    if compare != "c.webm":  # of encoders, the run itself decides
        with pytest.raises(error, match=words):
            plan(given)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", "there.mkv"]


def test_segments_that_are_used_again_are_compared_too(folder, tmp_path):
    kept = {"keep": tmp_path / "kept", "compare": tmp_path / "compare.mkv", "overwrite": True}
    found = []
    for reused in (0, COUNT):
        report = restore_video(quick_options(folder, output=tmp_path / "out.mkv", **kept))
        assert report.resumed == reused
        assert frames(tmp_path / "out.mkv") == frames(folder / "alone.mkv")
        found.append(frames(tmp_path / "compare.mkv"))
    assert found[0] == found[1]
    after, both = luma(tmp_path / "out.mkv"), luma(tmp_path / "compare.mkv")
    assert np.array_equal(both[:, :SIZE, 160 : 160 + SIZE], after)


def test_the_video_that_was_chosen_is_compared(folder, tmp_path):
    """Not the first one of OUT, which is copied."""
    source, shown = tmp_path / "two.mkv", tmp_path / "compare.mkv"
    with av.open(str(folder / "in.mp4")) as given, av.open(str(source), "w") as made:
        [video] = given.streams.video
        other = made.add_stream("ffv1", rate=25)
        other.width, other.height, other.pix_fmt = 2 * SIZE, 2 * SIZE, "yuv420p"
        copied = made.add_stream_from_template(video)
        for packet in given.demux(video):
            if packet.size:
                packet.stream = copied
                made.mux(packet)
        for number in range(COUNT):
            made.mux(other.encode(pattern(number, 2 * SIZE, 2 * SIZE, "yuv420p")))
        made.mux(other.encode(None))
    given = {"video_stream": 1, "compare": shown, "report": tmp_path / "report.html"}
    restore_video(quick_options(folder, input=source, output=tmp_path / "out.mkv", **given))
    found = []
    for path in (tmp_path / "out.mkv", shown):  # both have the other video first, as IN has
        with av.open(str(path)) as container:
            found.append(np.stack([plane_views(frame)[0].copy() for frame in container.decode(video=1)]))
    assert np.array_equal(found[1][:, :SIZE, 160 : 160 + SIZE], found[0])
    pages = re.findall(r'data:image/webp;base64,[^"\\]+', (tmp_path / "report.html").read_text())
    assert len(pages) > 1
    pictures = [cv2.imdecode(np.frombuffer(b64decode(uri.split(",")[1]), np.uint8), 1) for uri in pages]
    # The pattern of the other video has other colours than the face and what is around it.
    assert max(abs(p.mean(axis=(0, 1)) - pictures[0].mean(axis=(0, 1))).max() for p in pictures) < 60
