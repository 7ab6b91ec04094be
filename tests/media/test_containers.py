"""The table of containers agrees with FFmpeg, and each row with itself."""

from __future__ import annotations

import subprocess
import sys

import av
import pytest
from av.stream import Disposition

from tests.support import listing, sources
from tests.support.frames import pass_through_fast
from vidrestore.media.containers import CONTAINERS, EXTENSIONS, MP4, Container

ROWS = pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)


@ROWS
def test_ffmpeg_knows_the_muxer(container: Container) -> None:
    assert av.ContainerFormat(container.name, "w").is_output


@ROWS
def test_ffmpeg_knows_the_extensions(container: Container) -> None:
    known = set(av.ContainerFormat(container.name, "w").extensions)
    if container is MP4:
        known |= av.ContainerFormat("ipod", "w").extensions  # FFmpeg's MP4 for .m4v
    assert {extension[1:] for extension in container.extensions} <= known


@ROWS
def test_dispositions_have_ffmpegs_names(container: Container) -> None:
    names = {disposition.name for disposition in Disposition}
    assert container.dispositions | container.subtitle_dispositions <= names


@ROWS
def test_codecs_can_be_encoded(container: Container) -> None:
    for codec in filter(None, (container.lossless_audio, container.text_subtitles)):
        assert av.Codec(codec, "w").is_encoder
    for codec in (*container.rejected_video, *container.cover_files):
        assert av.Codec(codec, "r").is_decoder


def test_each_extension_stands_for_one_container() -> None:
    assert sum(len(container.extensions) for container in CONTAINERS.values()) == len(EXTENSIONS)
    assert EXTENSIONS[".m4v"] is EXTENSIONS[".mp4"] is MP4


def test_m4v_is_an_mp4_that_holds_the_same(tmp_path) -> None:
    words = sources.subtitle_file(tmp_path)
    source = sources.make(
        tmp_path / "in.m4v",
        sources.VIDEO,
        sources.AUDIO,
        words,
        select="0:v 1:a 2:s",
        **{"c:v": "libx264", "c:a": "aac", "c:s": "mov_text", "f": "mp4"},
    )
    out = pass_through_fast(source, tmp_path / "out.m4v")
    assert [(stream.kind, stream.codec) for stream in listing.streams(out)] == [
        ("video", "h264"),
        ("audio", "aac"),
        ("subtitle", "mov_text"),
    ]
    content = out.read_bytes()
    assert content[4:12] == b"ftypisom"
    assert content.index(b"moov") < content.index(b"mdat")


def test_the_table_needs_no_ffmpeg() -> None:
    """The command line reads it for --help, which must be quick."""
    code = "import sys; import vidrestore.media.containers; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
