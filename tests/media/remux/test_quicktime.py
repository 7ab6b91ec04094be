"""Language codes of tracks are kept, also those that FFmpeg's QuickTime muxer does not write."""

from __future__ import annotations

import pytest

from tests.support import listing, sources
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
