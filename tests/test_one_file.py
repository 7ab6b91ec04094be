"""The job that a file calls for."""

from __future__ import annotations

import logging
from pathlib import Path

import av
import pytest

from tests.support import photos, tiny
from vidrestore.errors import UsageError
from vidrestore.one_file import plan_file, restore_file
from vidrestore.options import Options
from vidrestore.photo import PhotoReport
from vidrestore.stages.networks import Networks

SAMPLE = Path(__file__).parents[1] / "samples" / "portrait.mp4"


def test_files_share_networks(tmp_path):
    weights, networks = tiny.save_weights(tmp_path / "tiny.safetensors"), Networks()
    for name in ("a.mkv", "b.mkv"):
        options = Options(input=SAMPLE, output=tmp_path / name, weights=weights, duration="0.1")
        report = restore_file(options, networks=networks)
        assert report.frames > 0
    assert (tmp_path / "a.mkv").exists()
    assert len(networks._models) == 1


def test_the_complete_file_is_shown_just_before_it_is_in_place(tmp_path):
    out = tmp_path / "a.mkv"
    options = Options(input=SAMPLE, output=out, model="lite", duration="0.1")
    seen = []

    def complete(path: Path) -> None:
        assert not out.exists()
        seen.append(path.read_bytes())

    restore_file(options, complete=complete)
    assert seen == [out.read_bytes()]


def test_options_of_the_other_kind_are_refused_or_ignored(tmp_path):
    weights = tiny.save_weights(tmp_path / "tiny.safetensors")
    photo = photos.save(tmp_path / "in.jpg", photos.face(96))
    given = {"input": photo, "output": tmp_path / "out.png", "weights": weights}
    with pytest.raises(UsageError, match=r"--crf is for videos, and in.jpg is a photo; leave it out"):
        restore_file(Options(**given, crf=18))
    with pytest.raises(UsageError, match=r"--face is for photos, and portrait.mp4 is a video"):
        plan_file(Options(input=SAMPLE, output=tmp_path / "out.mkv", face=[1]))
    report = restore_file(Options(**given, crf=18), mixed=True)
    assert isinstance(report, PhotoReport)
    assert (tmp_path / "out.png").exists()


def test_an_enlarged_video(tmp_path, caplog):
    weights = tiny.save_weights(tmp_path / "tiny.safetensors")
    out = tmp_path / "out.mkv"
    options = Options(input=SAMPLE, output=out, weights=weights, duration="0.2", upscale=2, codec="ffv1")
    assert "1280x720" in str(plan_file(options))
    with caplog.at_level(logging.INFO):
        report = restore_file(options)
    assert "enlarged 2 times: samples outside faces are no longer the input's" in caplog.text
    with av.open(str(out)) as container:
        video = container.streams.video[0]
        assert (video.width, video.height) == (1280, 720)
        assert sum(1 for _ in container.decode(video)) == report.frames


def test_a_size_that_an_encoder_cannot_hold_is_one_sentence(tmp_path):
    with av.open(str(tmp_path / "wide.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 8192, 16, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(8192, 16, "yuv420p")))
        container.mux(stream.encode(None))
    options = Options(input=tmp_path / "wide.mkv", output=tmp_path / "out.mkv", codec="libx264", upscale=4)
    with pytest.raises(UsageError, match="takes at most 16384x16384 pixels, and the video is 32768x64"):
        plan_file(options)
