"""Language codes are converted to three letters."""

from __future__ import annotations

import pytest

from tests.support import listing, sources
from tests.support.frames import pass_through_fast
from vidrestore.media.remux.languages import three_letter_code

CASES = {
    "deu": "deu",
    "ger": "ger",
    "de": "deu",
    "de-CH": "deu",
    "pt_BR": "por",
    "ENG": "eng",
    "zh-Hant": "zho",
    "yue": "yue",
    "qaa": "qaa",
    "": None,
    "xx": None,
    "German": None,
    "d3u": None,
    None: None,
}


@pytest.mark.parametrize(("given", "expected"), CASES.items(), ids=map(str, CASES))
def test_three_letter_code(given, expected):
    assert three_letter_code(given) == expected


def test_an_mp4_gets_three_letter_codes(tmp_path, caplog):
    extra = [
        word
        for i, code in enumerate(("de", "pt-BR", "tlh-x", "Klingon"))
        for word in (f"-metadata:s:a:{i}", f"language={code}")
    ]
    source = sources.make(
        tmp_path / "in.mkv",
        sources.VIDEO,
        sources.AUDIO,
        select="0:v 1:a 1:a 1:a 1:a",
        arguments=tuple(extra),
        **{"c:a": "aac", "t": 0.4},
    )
    out = pass_through_fast(source, tmp_path / "out.mp4")
    assert [s.language for s in listing.streams(out)][1:] == ["deu", "por", "tlh", None]
    assert "cannot hold the language 'Klingon'" in caplog.text
