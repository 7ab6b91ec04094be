"""Damage is counted and named in one line."""

from __future__ import annotations

import pytest

from vidrestore.media.decode.damage import Damage


def test_no_damage_is_false():
    assert not Damage()
    assert str(Damage()) == ""


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (Damage(packets=1), "1 packet could not be decoded"),
        (Damage(concealed=2), "2 frames were decoded in part"),
        (Damage(repaired=2), "2 frames had no valid timestamp"),
        (
            Damage(resized=1, ended="the file ends early"),
            "1 frame was scaled to the size of the first, the file ends early",
        ),
    ],
)
def test_what_a_warning_says(damage, text):
    assert damage
    assert str(damage) == text
