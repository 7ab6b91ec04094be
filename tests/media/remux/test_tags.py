"""Tags are kept, whatever their keys and their encoding."""

from __future__ import annotations

import av
import pytest

from tests.support import listing, sources
from tests.support.clips import tagged
from tests.support.frames import clip, pass_through_fast
from vidrestore.media.containers import MATROSKA, MOV, MP4
from vidrestore.media.inspect import as_text, inspect_file
from vidrestore.media.remux.tags import kept_metadata, lost_tags, uncommon_tags


def test_tags_of_a_camera_are_kept(tmp_path):
    extra = (
        "-metadata",
        "com.apple.quicktime.make=Apple",
        "-metadata",
        "com.apple.quicktime.model=iPhone",
        "-movflags",
        "use_metadata_tags",
    )
    source = sources.make(
        tmp_path / "in.mov", sources.VIDEO, sources.AUDIO, arguments=extra, **{"c:a": "aac"}
    )
    for ending in (".mov", ".mp4", ".mkv"):
        tags = listing.metadata(pass_through_fast(source, tmp_path / f"out{ending}"))[0]
        assert tags["com.apple.quicktime.make"] == "Apple"
        assert tags["com.apple.quicktime.model"] == "iPhone"


def test_metadata_that_is_not_utf8_is_kept(tmp_path):
    """Latin-1 in a file that should hold UTF-8: kept byte for byte, and printable."""
    source = clip(tmp_path / "in.mkv")
    titles = {"tags": {"title": "Caf__ blanc"}, "track_tags": {"title": "Caf__ noir"}}
    tagged(source, tmp_path / "titled.mkv", **titles)
    data = (tmp_path / "titled.mkv").read_bytes().replace(b"Caf__", b"Caf\xe9_")
    (tmp_path / "titled.mkv").write_bytes(data)
    as_text(inspect_file(tmp_path / "titled.mkv")).encode()
    out = pass_through_fast(tmp_path / "titled.mkv", tmp_path / "out.mkv")
    assert out.read_bytes().count(b"Caf\xe9_") == 2


def test_stale_metadata_is_dropped():
    metadata = {"title": "A title", "ENCODER": "x", "major_brand": "isom", "BPS-eng": "1", "DURATION": "1"}
    assert kept_metadata(metadata) == {"title": "A title", "BPS-eng": "1"}
    assert kept_metadata(metadata, encoded=True) == {"title": "A title"}


def test_tags_that_need_a_list_of_keys():
    metadata = {"title-eng": "A title", "artist": "Somebody", "CUSTOM": "kept"}
    assert uncommon_tags(metadata, MP4) == ["CUSTOM"]
    assert uncommon_tags(metadata, MOV) == ["artist", "CUSTOM"]
    assert uncommon_tags(metadata, MATROSKA) == []
    assert uncommon_tags({"comment": "é" * 32768}, MOV) == ["comment"]
    assert uncommon_tags({"comment": "é" * 32767}, MOV) == []


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_a_long_tag_is_kept_whole(tmp_path, ending):
    """QuickTime's usual tags have a length of 16 bits."""
    comment = "x" * 70000
    given, tags = tmp_path / "in.mkv", tmp_path / "tags.txt"
    tags.write_text(f";FFMETADATA1\ncomment={comment}\n", encoding="utf-8")
    sources.make(given, clip(tmp_path / "plain.mp4"), tags=tags, c="copy")
    out = pass_through_fast(given, tmp_path / f"out.{ending}")
    found = listing.metadata(out)[0]
    assert comment in {value for key, value in found.items() if key.lower() == "comment"}


def test_a_copy_with_alpha_loses_its_transparency_in_mp4(tmp_path):
    half = (
        "color=red:s=64x48:r=25:d=0.2,format=rgba,colorchannelmixer=aa=0.5,format=yuva420p",
        {"f": "lavfi"},
    )
    transparent = sources.make(tmp_path / "in.webm", half, **{"c:v": "libvpx-vp9", "pix_fmt": "yuva420p"})
    with av.open(str(transparent)) as container:
        video = container.streams.video[0]
        assert lost_tags(video, MP4) == ["the transparency"]
        assert lost_tags(video, MP4, encoded=True) == lost_tags(video, MATROSKA) == []
