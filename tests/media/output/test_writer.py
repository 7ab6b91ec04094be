"""A run that fails leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.support.encoders import open_writer
from tests.support.frames import FAST, clip
from vidrestore.media.decode.decoder import Decoder


def test_an_error_leaves_nothing_behind(tmp_path):
    def interrupted(source):
        with Decoder(source) as decoder, open_writer(decoder, tmp_path / "o.mp4", FAST) as writer:
            writer.write(decoder.first)
            assert (tmp_path / ".o.partial.mp4").exists()
            raise RuntimeError

    source = clip(tmp_path / "in.mp4")
    with pytest.raises(RuntimeError):
        interrupted(source)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]
