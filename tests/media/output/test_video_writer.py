"""A file with a video and nothing else: whole, or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import reader
from tests.support.clips import pattern, write
from vidrestore.errors import OutputError
from vidrestore.media.containers import MATROSKA
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderConfig
from vidrestore.media.output.video_writer import VideoWriter

FFV1 = EncoderConfig(codec="ffv1", pix_fmt="yuv420p")


@pytest.fixture
def clip(tmp_path) -> Path:
    (tmp_path / "in").mkdir()
    return write(tmp_path / "in" / "in.mkv", [pattern(i, 64, 48, "yuv420p") for i in range(6)], audio=1)


def test_frames_and_times_are_kept_and_nothing_else(clip, tmp_path):
    out = tmp_path / "out.mkv"
    with Decoder(clip) as decoder, VideoWriter(out, decoder.source, FFV1, MATROSKA) as writer:
        for frame in decoder:
            assert not out.exists()
            writer.write(frame)
    assert [(f.time, f.digest) for f in reader.frames(out)] == [
        (f.time, f.digest) for f in reader.frames(clip)
    ]
    assert len(reader.packets(out, "0")) == 6 == len(writer.packets)
    assert sum(writer.packets) < out.stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.mkv"]


def test_an_error_leaves_the_old_file(clip, tmp_path):
    out = tmp_path / "out.mkv"
    out.write_bytes(b"old")

    def interrupted() -> None:
        with Decoder(clip) as decoder, VideoWriter(out, decoder.source, FFV1, MATROSKA) as writer:
            writer.write(decoder.first)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert out.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out.mkv"]


def test_a_folder_that_is_gone(clip, tmp_path):
    with Decoder(clip) as decoder, pytest.raises(OutputError, match="cannot be written"):
        VideoWriter(tmp_path / "none" / "out.mkv", decoder.source, FFV1, MATROSKA)
