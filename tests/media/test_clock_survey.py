"""A length is believed only if the clock runs on through the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.frames import synthetic
from vidrestore.media.clock import has_clock
from vidrestore.media.clock_survey import is_steady
from vidrestore.media.probe import open_input, probe


def piece(folder: Path, offset: float, ending: str = ".ts") -> bytes:
    codec = ("-c:v", "libx264" if ending == ".ts" else "mpeg2video", "-output_ts_offset", offset)
    return synthetic(folder / f"{offset}{ending}", "testsrc2=s=64x48:r=25:d=2", *codec).read_bytes()


@pytest.mark.parametrize(
    ("offsets", "ending", "steady"),
    [
        ((0,), ".ts", True),
        ((95443.2,), ".ts", True),  # wraps
        ((1000, 20), ".ts", False),
        ((0, 18000), ".ts", False),
        ((0,), ".mpg", True),
        ((500, 0), ".mpg", False),
    ],
)
def test_only_a_steady_clock_has_a_length(tmp_path, offsets, ending, steady):
    path = tmp_path / f"in{ending}"
    path.write_bytes(b"".join(piece(tmp_path, offset, ending) for offset in offsets))
    with open_input(path) as container:
        assert has_clock(container)
        assert is_steady(container, container.streams.video[0].index) == steady
    assert (probe(path).duration is not None) == steady
