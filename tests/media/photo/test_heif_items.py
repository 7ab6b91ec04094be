"""How the main picture of a HEIC or AVIF is coded, as its boxes say it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from vidrestore.media.boxes import box
from vidrestore.media.photo.heif_items import Coding, primary_coding

FULL = bytes(4)


def pixi(bits: int) -> bytes:
    return box(b"pixi", FULL, bytes((3, bits, bits, bits)))


def nclx(primaries: int, transfer: int) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, 9, 0x80))


def photo(
    path: Path, properties: list[bytes], items: dict[int, list[int]], *, wide: bool, brand=b"mif1"
) -> Path:
    """A file whose main picture is item 2; ``items`` have properties by their numbers from 1 on."""
    entries = b"".join(
        struct.pack(">IB" if wide else ">HB", item, len(numbers))
        + b"".join(struct.pack(">H", 0x8000 | n) if wide else bytes((0x80 | n,)) for n in numbers)
        for item, numbers in items.items()
    )
    version = b"\1\0\0\1" if wide else FULL
    pitm = box(b"pitm", b"\1\0\0\0\0\0\0\2" if wide else FULL + b"\0\2")
    ipma = box(b"ipma", version, struct.pack(">I", len(items)), entries)
    iprp = box(b"iprp", box(b"ipco", *properties), ipma)
    path.write_bytes(box(b"ftyp", b"avif", FULL, brand) + box(b"meta", FULL, pitm, iprp) + box(b"mdat", b"x"))
    return path


@pytest.mark.parametrize("wide", [False, True])
def test_properties_are_those_of_the_main_picture(tmp_path, wide):
    """Another item, a gain map say, has properties of its own."""
    properties = [pixi(8), nclx(1, 13), pixi(10), nclx(9, 16)]
    path = photo(tmp_path / "a.avif", properties, {1: [1, 2], 2: [3, 4]}, wide=wide)
    assert primary_coding(path) == Coding(10, 9, 16)
    path = photo(tmp_path / "a.avif", properties, {1: [3, 4], 2: [1, 2]}, wide=wide)
    assert primary_coding(path) == Coding(8, 1, 13)


@pytest.mark.parametrize(("flags", "bits"), [(0x00, 8), (0x40, 10), (0x60, 12)])
def test_bits_that_only_the_coder_states(tmp_path, flags, bits):
    coder = box(b"av1C", bytes((0x81, 0, flags, 0)))
    assert primary_coding(photo(tmp_path / "a.avif", [coder], {2: [1]}, wide=False)).bits == bits


def test_a_gain_map_is_announced_by_a_brand(tmp_path):
    assert primary_coding(photo(tmp_path / "a.avif", [], {2: []}, wide=False, brand=b"tmap")).has_gain_map


def test_a_damaged_file_says_nothing(tmp_path):
    whole = photo(tmp_path / "a.avif", [pixi(10), nclx(9, 16)], {2: [1, 2]}, wide=False).read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut.avif").write_bytes(whole[:length])
        assert primary_coding(tmp_path / "cut.avif") in (Coding(), Coding(10, 9, 16))
    wrong = photo(tmp_path / "b.avif", [pixi(10)], {2: [7]}, wide=False)
    assert primary_coding(wrong) == Coding()
