"""What FFmpeg's QuickTime muxer does not write, or writes wrongly: language codes, enabled subtitles."""

from __future__ import annotations

import pytest

from tests.support import listing, reader, sources
from tests.support.frames import pass_through_fast

LANGUAGES = ("eng", "deu", "ger", "swe", "fil", "hrv", "gle", "zho", "chi", "yue", "und")


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_language_codes_are_kept(tmp_path, ending):
    extra = [word for i, code in enumerate(LANGUAGES) for word in (f"-metadata:s:a:{i}", f"language={code}")]
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.AUDIO,
        select="0:v " + "1:a " * len(LANGUAGES),
        arguments=tuple(extra),
        **{"c:a": "aac", "t": 0.4},
    )
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    found = [stream.language for stream in listing.streams(out) if stream.kind == "audio"]
    assert [language or "und" for language in found] == list(LANGUAGES)


@pytest.mark.parametrize("ending", [".mp4", ".mov"])
@pytest.mark.parametrize("default", [None, 0, 1])
def test_only_default_subtitles_are_enabled(tmp_path, ending, default):
    text = sources.subtitle_file(tmp_path)
    flags = [word for i in range(2) for word in (f"-disposition:s:{i}", "default" if i == default else "0")]
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.AUDIO,
        text,
        select="0:v 1:a 2:s 2:s",
        arguments=(*flags, "-default_mode", "passthrough"),
        **{"c:s": "srt", "c:v": "libx264", "c:a": "aac"},
    )
    out = pass_through_fast(source, tmp_path / f"out{ending}")
    described = reader.describe(out).partition("Stream mapping")[0].splitlines()
    lines = [line for line in described if "Stream #" in line]
    assert ["(default)" in line for line in lines if "Subtitle" in line] == [i == default for i in range(2)]
    assert all("(default)" in line for line in lines if "Subtitle" not in line)
    assert listing.subtitles(out)
