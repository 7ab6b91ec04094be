"""Settings: parsing, duplicate names, and the default ones."""

from __future__ import annotations

import pytest

from vidrestore.errors import UsageError
from vidrestore.measure.settings import Setting, ablations, check_settings, parse_setting


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("full:", Setting("full")),
        ("true : --w 0.9 --weights 'my file'", Setting("true", ("--w", "0.9", "--weights", "my file"))),
    ],
)
def test_parsing_a_setting(text: str, setting: Setting) -> None:
    assert parse_setting(text) == setting


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        (["--w 0.5"], "'--w 0.5' has no name; write 'NAME: OPTIONS'"),
        ([": --w 0.5"], "has no name"),
        (["open: 'quote"], "cannot parse"),
        (["a:", "a: --w 1"], "two rows are named a;"),
        (["input: --w 1"], "two rows are named input;"),
    ],
)
def test_invalid_settings(texts: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        check_settings([parse_setting(text) for text in texts])


def test_ablations() -> None:
    args = {setting.name: setting.args for setting in ablations(("a", "b", "c"))}
    assert args == {
        "per-frame": ("--steady", "none"),
        "full": (),
        "no a": ("--steady", "b,c"),
        "no b": ("--steady", "a,c"),
        "no c": ("--steady", "a,b"),
    }
