"""An AVI is cut short if a chunk promises more than the file holds."""

from __future__ import annotations

import struct

import pytest

from vidrestore.media.decode.riff import is_cut_short


def riff(size: int, content: int) -> bytes:
    return b"RIFF" + struct.pack("<I", size) + bytes(content)


@pytest.mark.parametrize(
    ("content", "cut"),
    [
        (riff(100, 100), False),
        (riff(100, 60), True),
        (riff(100, 100) + riff(40, 40), False),  # more than 1 GB
        (riff(100, 100) + riff(40, 20), True),
        (riff(101, 101), False),  # without the pad byte
        (riff(100, 100) + bytes(50), False),
        (riff(0, 300), False),  # a recorder that was switched off
    ],
)
def test_sizes(tmp_path, content, cut):
    path = tmp_path / "in.avi"
    path.write_bytes(content)
    assert is_cut_short(path) == cut
