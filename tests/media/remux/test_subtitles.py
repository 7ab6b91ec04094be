"""Text subtitles are transcoded with their text and times."""

from __future__ import annotations

import pytest

from tests.support import listing, sources
from tests.support.frames import pass_through_fast


def test_a_warning_names_lost_styles(tmp_path, caplog):
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.subtitle_file(tmp_path, ".ass"),
        select="0:v 1:s",
        **{"c:s": "ass"},
    )
    out = pass_through_fast(source, tmp_path / "out.mp4")
    assert listing.subtitles(out) == sources.SUBTITLES
    assert (
        "out.mp4 cannot hold the styles and positions of the input's #1 subtitle: ass; .mkv keeps it"
        in caplog.text
    )


#: The codec of text subtitles in each container, from SubRip and back.
CODECS = {".mp4": "mov_text", ".mov": "mov_text", ".mkv": "subrip", ".webm": "webvtt"}


@pytest.mark.parametrize(("ending", "codec"), CODECS.items(), ids=CODECS)
def test_text_and_times_are_kept(tmp_path, ending, codec):
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.subtitle_file(tmp_path),
        select="0:v 1:s",
        **{"c:s": "srt"},
    )
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    assert [stream.codec for stream in listing.streams(out) if stream.kind == "subtitle"] == [codec]
    assert listing.subtitles(out) == sources.SUBTITLES
