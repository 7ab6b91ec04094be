"""Languages as containers of three letters take them."""

from __future__ import annotations

import pytest

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
