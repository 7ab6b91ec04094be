"""Boxes of MP4 are found, and added to a sample description."""

from __future__ import annotations

import io

import pytest

from tests.support.frames import clip
from vidrestore.media.boxes import box, boxes, boxes_at, sample_boxes, track_boxes, tracks, with_sample_boxes


def opened(data: bytes) -> tuple[io.BytesIO, tuple[int, int]]:
    return io.BytesIO(data), (0, len(data))


@pytest.mark.parametrize(
    ("data", "expected"),
    {
        "two": (box(b"aaaa", b"xy") + box(b"bbbb"), [(b"aaaa", 8, 10), (b"bbbb", 18, 18)]),
        "64 bits": (b"\0\0\0\1aaaa" + (18).to_bytes(8) + b"xy", [(b"aaaa", 16, 18)]),
        "to the end": (b"\0\0\0\0aaaaxyz", [(b"aaaa", 8, 11)]),
        "beyond the end": (box(b"aaaa") + b"\0\0\1\0bbbb", [(b"aaaa", 8, 8)]),
        "shorter than its header": (b"\0\0\0\4aaaabbbbcccc", []),
    }.values(),
)
def test_side_by_side(data, expected):
    assert list(boxes(*opened(data))) == expected


def test_a_path_of_kinds():
    data = box(b"aaaa", box(b"bbbb", box(b"cccc", b"1")), box(b"bbbb", box(b"cccc", b"22")))
    assert [data[start:end] for start, end in boxes_at(*opened(data), b"aaaa", b"bbbb", b"cccc")] == [
        b"1",
        b"22",
    ]


@pytest.mark.parametrize("number", [0, 1])
def test_added_to_one_track(tmp_path, number):
    """The second track is sound, whose sample description is of another form, but begins alike."""
    data = clip(tmp_path / "in.mp4", audio=1).read_bytes()
    file, _ = opened(data)
    assert len(tracks(file)) == 2
    ((start, end),) = boxes_at(file, (0, len(data)), b"moov")
    moov = with_sample_boxes(data[start - 8 : end], number, box(b"test", b"content"))
    made, _ = opened(data[: start - 8] + moov + data[end:])
    sizes = [end - start for start, end in track_boxes(made, b"mdia", b"minf", b"stbl", b"stsd")]
    before = [end - start for start, end in track_boxes(file, b"mdia", b"minf", b"stbl", b"stsd")]
    assert sizes == [size + 15 * (index == number) for index, size in enumerate(before)]
    if number == 0:
        kinds = [kind for kind, _, _ in sample_boxes(made, tracks(made)[0])]
        assert kinds == [*(kind for kind, _, _ in sample_boxes(file, tracks(file)[0])), b"test"]


def test_no_such_track(tmp_path):
    data = clip(tmp_path / "in.mp4").read_bytes()
    file, within = opened(data)
    ((start, end),) = boxes_at(file, within, b"moov")
    with pytest.raises(ValueError, match="no such box"):
        with_sample_boxes(data[start - 8 : end], 1, box(b"test"))
