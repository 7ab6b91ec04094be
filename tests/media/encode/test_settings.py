"""Encoder settings as text."""

from __future__ import annotations

from vidrestore.media.encode.settings import EncoderConfig


def test_a_config_as_text():
    """The text is part of the resume key."""
    config = EncoderConfig("libx264", "yuv420p", {"crf": "16", "preset": "medium"}, {"color_range": 1})
    assert str(config) == "libx264 (yuv420p, crf 16, preset medium)"
