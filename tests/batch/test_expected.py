"""How many frames a run is likely to have."""

from __future__ import annotations

import pytest

from tests.support.clips import pattern, write
from vidrestore.batch.expected import expected_frames
from vidrestore.errors import InputError
from vidrestore.options import Options


def test_the_part_that_is_restored_counts(tmp_path):
    clip = write(tmp_path / "in.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(50)])
    for given, frames in (({}, 50), ({"start": 1}, 25), ({"duration": "0.4"}, 10), ({"start": 9}, 0)):
        assert expected_frames(Options(input=clip, **given)) == frames
    with pytest.raises(InputError):
        expected_frames(Options(input=tmp_path / "gone.mp4"))
