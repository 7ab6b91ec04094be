"""Text subtitles are transcoded with their text and times."""

from __future__ import annotations

from tests.support import listing, sources
from tests.support.frames import pass_through_fast


def test_text_with_styles_is_said_to_lose_them(tmp_path, caplog):
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.subtitle_file(tmp_path, ".ass"),
        select="0:v 1:s",
        **{"c:s": "ass"},
    )
    out = pass_through_fast(source, tmp_path / "out.mp4")
    assert listing.subtitles(out) == sources.WORDS
    assert (
        "out.mp4 cannot hold the styles and positions of the input's #1 subtitle: ass; .mkv keeps it"
        in caplog.text
    )
