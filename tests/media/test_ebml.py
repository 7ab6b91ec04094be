"""EBML elements are read as they were written."""

from __future__ import annotations

import io
import zlib

import pytest

from vidrestore.media.ebml import (
    Element,
    Id,
    find,
    floating,
    master,
    read_element,
    read_header,
    string,
    unsigned,
    void,
)

ENCODED = {
    "an unsigned integer": (unsigned(Id.TRACK_TYPE, 1), "83 81 01"),
    "a larger one": (unsigned(Id.PIXEL_WIDTH, 1920), "b0 82 0780"),
    "zero": (unsigned(Id.TIMESTAMP, 0), "e7 80"),
    "a floating-point number": (floating(Id.LUMINANCE_MAX, 1000), "55d9 88 408f400000000000"),
    "a string": (string(Id.DOC_TYPE, "webm"), "4282 84 7765626d"),
    "elements in elements": (master(Id.VIDEO, unsigned(Id.PIXEL_WIDTH, 64)), "e0 83 b08140"),
    "a size field of 8 bytes": (Element(Id.VIDEO, b"", size_length=8), "e0 0100000000000000"),
    # 127 bytes need a size field of two: seven ones mean that the size is unknown.
    "127 bytes": (Element(Id.VOID, bytes(127)), "ec 407f" + " 00" * 127),
}


@pytest.mark.parametrize(("element", "expected"), ENCODED.values(), ids=ENCODED)
def test_encoded_and_read_back(element: Element, expected: str) -> None:
    encoded = element.encode()
    assert encoded == bytes.fromhex(expected)
    read = read_element(io.BytesIO(encoded))
    assert (read.id, read.content) == (element.id, element.content)
    assert read.encode() == encoded


@pytest.mark.parametrize("size", [0, *range(2, 20), 127, 128, 129, 20000])
def test_void_takes_exactly_its_size(size: int) -> None:
    assert len(void(size)) == size
    if size:
        assert read_element(io.BytesIO(void(size))).id == Id.VOID


@pytest.mark.parametrize("size", [-1, 1])
def test_no_void_is_so_short(size: int) -> None:
    with pytest.raises(ValueError, match=f"no element takes {size} bytes"):
        void(size)


UNREADABLE = {
    "nothing": "",
    "no ID": "00 00",
    "no size": "ec",
    "cut off within the ID": "1a45",
    "cut off within the content": "ec 84 0000",
    "of unknown size": "18538067 01ffffffffffffff",
    "too large": "18538067 0100000100000000",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_raises_value_error(content: str) -> None:
    with pytest.raises(ValueError, match="element"):
        read_element(io.BytesIO(bytes.fromhex(content)))


def test_a_header_can_be_read_alone() -> None:
    file = io.BytesIO(bytes.fromhex("18538067 01ffffffffffffff ec80"))
    assert read_header(file) == (Id.SEGMENT, (1 << 56) - 1, 8)
    assert read_element(file) == Element(Id.VOID, b"")


def test_children_are_found_and_replaced() -> None:
    video = master(Id.VIDEO, unsigned(Id.PIXEL_WIDTH, 64), unsigned(Id.PIXEL_HEIGHT, 48))
    assert [child.id for child in video.children()] == [Id.PIXEL_WIDTH, Id.PIXEL_HEIGHT]
    assert find(video.children(), Id.PIXEL_HEIGHT) == b"\x30"
    assert find(video.children(), Id.DISPLAY_WIDTH) == b""
    assert video.with_children(video.children()) == video
    with pytest.raises(ValueError, match="element"):
        Element(Id.VIDEO, b"\xb0\x82\x00").children()


def test_a_checksum_is_that_of_the_elements_after_it() -> None:
    child = unsigned(Id.PIXEL_WIDTH, 64)
    tracks = master(Id.TRACKS, Element(Id.CRC_32, bytes(4)), child)
    checksum, *rest = tracks.with_children(tracks.children()).children()
    assert rest == [child]
    assert checksum.content == zlib.crc32(child.encode()).to_bytes(4, "little")
