"""What a frame carries besides its samples, by the names that messages use."""

from __future__ import annotations

import pytest

from tests.support import sei
from tests.support.frames import clip
from vidrestore.media.decode.decoder import Decoder


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (sei.captions, {"closed captions"}),
        (sei.user_data, {"user data (SEI)"}),
        (sei.side_by_side, {"stereo 3D arrangement"}),
        (sei.active_format, {"active format description (AFD)"}),
        (lambda index: None, set()),  # the settings of x264 are left out
    ],
)
def test_kinds_by_name(tmp_path, message, names):
    plain = clip(tmp_path / "plain.mp4", options={"bf": "0"})
    with Decoder(sei.add_sei(plain, tmp_path / "in.ts", message)) as decoder:
        frames = list(decoder)
        assert [frame.side_data for frame in frames] == [names] * 6
        frames[0].image(editable=True)
        assert frames[0].side_data == names
