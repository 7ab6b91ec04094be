"""Sample aspect ratios in Matroska and WebM, as an ffmpeg binary reads them, in files that stay valid."""

from __future__ import annotations

import os
import shutil
import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.support import listing, reader
from tests.support.clips import pattern, write
from tests.support.encoders import open_segment_writer
from tests.support.frames import ffmpeg, pass_through
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.remux import finalizers
from vidrestore.media.remux.matroska import write_aspect_ratios

FFV1 = EncoderSettings(codec="ffv1")
ENCODERS = {
    "VP9 in Matroska": ("libvpx-vp9", "mkv"),
    "AV1 in Matroska": ("libsvtav1", "mkv"),
    "FFV1 in Matroska": ("ffv1", "mkv"),
    "H.264 in Matroska": ("libx264", "mkv"),
    "VP9 in WebM": ("libvpx-vp9", "webm"),
}
RATIOS = [Fraction(4, 3), Fraction(16, 15), Fraction(8, 9)]

#: Elements that contain others (RFC 9559): the segment, its tracks, and indexes of positions in it.
MASTERS = {"18538067", "114d9b74", "4dbb", "1654ae6b", "ae", "e0", "1c53bb6b", "bb", "b7"}


@dataclass(frozen=True)
class Node:
    """An element: its ID in hexadecimal, where it and its content begin, and where it ends."""

    id: str
    position: int
    begin: int
    end: int
    parents: tuple[str, ...]


def walk(data: bytes, begin: int = 0, end: int | None = None, parents: tuple[str, ...] = ()) -> list[Node]:
    """All elements of a file. They must fill their parents exactly."""
    nodes, place = [], begin
    end = len(data) if end is None else end
    while place < end:
        length = 9 - data[place].bit_length()
        id = data[place : place + length].hex()
        size_at = place + length
        length = 9 - data[size_at].bit_length()
        size = int.from_bytes(data[size_at : size_at + length]) - (1 << 7 * length)
        content = size_at + length
        assert content + size <= end, f"{id} at {place} reaches beyond its parent"
        nodes.append(Node(id, place, content, content + size, parents))
        if id in MASTERS:
            nodes += walk(data, content, content + size, (*parents, id))
        place = content + size
    return nodes


def check(path: Path) -> list[Node]:
    """Assert that the indexes lead to the elements they name, and that checksums are right."""
    data = path.read_bytes()
    nodes = walk(data)
    ids = {node.position: node.id for node in nodes}
    (segment,) = (node for node in nodes if node.id == "18538067")
    named = [data[n.begin : n.end].hex() for n in nodes if n.id == "53ab"]
    sought = [int.from_bytes(data[n.begin : n.end]) for n in nodes if n.id == "53ac"]
    assert [ids.get(segment.begin + place) for place in sought] == named
    assert {"1549a966", "1654ae6b"} <= set(named)
    clusters = [int.from_bytes(data[n.begin : n.end]) for n in nodes if n.id == "f1" and "b7" in n.parents]
    assert clusters
    assert all(ids[segment.begin + place] == "1f43b675" for place in clusters)
    for node in nodes:
        if node.id in ("114d9b74", "1549a966", "1654ae6b", "1c53bb6b") and data[node.begin] == 0xBF:
            crc = int.from_bytes(data[node.begin + 2 : node.begin + 6], "little")
            assert crc == zlib.crc32(data[node.begin + 6 : node.end]), node
    return nodes


def source(path: Path, ratio: Fraction | None = Fraction(4, 3), size: tuple[int, int] = (64, 48)) -> Path:
    return write(path, [pattern(i, *size, "yuv420p") for i in range(8)], aspect=ratio, options={"g": "4"})


def as_text(ratio: Fraction) -> str:
    return f"{ratio.numerator}:{ratio.denominator}"


@pytest.mark.parametrize("ratio", RATIOS, ids=as_text)
@pytest.mark.parametrize(("codec", "ending"), ENCODERS.values(), ids=ENCODERS)
def test_the_aspect_ratio_is_written(tmp_path, monkeypatch, codec, ending, ratio):
    clip = source(tmp_path / "in.mp4", ratio)
    plain = tmp_path / f"plain.{ending}"

    def keep_unpatched(path: Path, ratios: list[Fraction | None]) -> bool:
        shutil.copy(path, plain)
        return write_aspect_ratios(path, ratios)

    monkeypatch.setattr(finalizers, "write_aspect_ratios", keep_unpatched)
    out = pass_through(clip, tmp_path / f"out.{ending}", EncoderSettings(codec=codec))
    assert listing.aspect_ratios(out) == [as_text(ratio)]
    check(plain)
    check(out)
    assert out.stat().st_size == plain.stat().st_size
    assert reader.packets(out) == reader.packets(plain)
    assert reader.frames(out) == reader.frames(plain)
    assert len(reader.frames(out)) == 8
    assert reader.frames(out, ss=0.2) == reader.frames(plain, ss=0.2)
    written = displayed(out)
    if ending == "mkv":
        # The same as in FFmpeg's own file of the same video.
        own = tmp_path / "own.mkv"
        ffmpeg("-i", clip, "-c:v", codec, "-frames:v", 1, own)
        assert written == displayed(own)
    else:
        assert Fraction(written["54b0"] * 48, written["54ba"] * 64) == ratio


def test_the_aspect_ratio_is_written_after_joining_segments(tmp_path):
    clip, out = source(tmp_path / "in.mp4"), tmp_path / "out.mkv"
    with (
        Decoder(clip) as decoder,
        open_segment_writer(decoder, out, FFV1, length=3) as writer,
    ):
        for frame in decoder:
            writer.write(frame)
    assert listing.aspect_ratios(out) == ["4:3"]
    check(out)
    assert len(reader.frames(out)) == 8


def displayed(path: Path) -> dict[str, int]:
    """DisplayWidth, DisplayHeight and DisplayUnit, by their IDs."""
    data = path.read_bytes()
    return {
        n.id: int.from_bytes(data[n.begin : n.end]) for n in walk(data) if n.id in ("54b0", "54ba", "54b2")
    }


PIXELS = {
    "widened": ((720, 576), Fraction(64, 45), (1024, 576)),
    "heightened": ((720, 480), Fraction(8, 9), (720, 540)),
    "exact only when lowered": ((720, 480), Fraction(32, 27), (720, 405)),
    "exact only when narrowed": ((64, 50), Fraction(15, 16), (60, 50)),
    "to the nearest": ((720, 574), Fraction(59, 54), (787, 574)),
    "to the nearest, heightened": ((722, 480), Fraction(54, 59), (722, 524)),
}


@pytest.mark.parametrize(("size", "ratio", "shown"), PIXELS.values(), ids=PIXELS)
def test_webm_has_a_display_size_in_pixels(tmp_path, size, ratio, shown):
    clip = source(tmp_path / "in.mp4", None, size)
    out = tmp_path / "out.webm"
    ffmpeg("-i", clip, "-c:v", "libvpx-vp9", "-cpu-used", 8, "-deadline", "realtime", "-frames:v", 2, out)
    assert write_aspect_ratios(out, [ratio])
    check(out)
    assert displayed(out) == {"54b0": shown[0], "54ba": shown[1]}


def test_everything_else_is_kept(tmp_path):
    video, subtitles, font = source(tmp_path / "v.mp4"), tmp_path / "in.srt", tmp_path / "a.ttf"
    subtitles.write_text("1\n00:00:00,100 --> 00:00:00,300\nHello\n")
    font.write_bytes(os.urandom(3000))
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(
        ";FFMETADATA1\ntitle=A tape\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=100\ntitle=One\n"
    )
    clip = tmp_path / "in.mkv"
    words = ("-f", "lavfi", "-i", "sine=d=0.3", "-map", 0, "-map", 0, "-map", 3, "-map", 1)
    more = ("-c", "copy", "-c:a", "flac", "-c:v:1", "ffv1", "-filter:v:1", "setsar=16/15")
    attached = ("-attach", font, "-metadata:s:t", "mimetype=font/ttf")
    inputs = ("-i", video, "-i", subtitles, "-i", chapters)
    ffmpeg(*inputs, *words, *more, "-map_metadata", 2, "-map_chapters", 2, *attached, clip)
    assert listing.aspect_ratios(clip) == ["4:3", "16:15"]
    out = pass_through(clip, tmp_path / "out.mkv", FFV1)
    assert listing.aspect_ratios(out) == ["4:3", "16:15"]
    ids = {node.id for node in check(out)}
    assert {"1043a770", "1941a469", "1254c367"} <= ids  # chapters, attachments, tags
    with av.open(str(out)) as container:
        assert container.metadata["title"] == "A tape"
        assert container.chapters()[0]["metadata"]["title"] == "One"
        assert [s.type for s in container.streams] == ["video", "video", "audio", "subtitle", "attachment"]
        assert container.streams[4].data == font.read_bytes()
    for streams in ("0:v:1", "0:a", "0:s"):
        given, got = reader.packets(clip, streams), reader.packets(out, streams)
        assert [line.digest for line in got] == [line.digest for line in given]


@pytest.fixture
def plain(tmp_path) -> Path:
    """A file without an aspect ratio."""
    return pass_through(source(tmp_path / "in.mp4", None), tmp_path / "plain.mkv", FFV1)


def _renamed(element: str, other: str):
    return lambda data: data.replace(bytes.fromhex(element), bytes.fromhex(other), 1)


def _without_void(data: bytes) -> bytes:
    void = next(node for node in walk(data) if node.id == "ec")
    segment = next(node for node in walk(data) if node.id == "18538067")
    size = (segment.end - segment.begin - void.end + void.position | 1 << 56).to_bytes(8)
    return data[: segment.begin - 8] + size + data[segment.begin : void.position] + data[void.end :]


ODD = {
    "nothing": lambda data: b"",
    "not EBML": lambda data: b"RIFF" + data[4:],
    "another segment": _renamed("18538067", "18538068"),
    "no SeekHead": _renamed("114d9b74", "114d9b75"),
    "no room": _without_void,
    "no tracks": lambda data: data[: data.index(bytes.fromhex("1654ae6b"), 0xD0)],
    "no picture size": lambda data: data.replace(b"\xb0\x81\x40\xba\x81\x30", b"\xb1\x81\x40\xbb\x81\x30", 1),
    "cut off": lambda data: data[:0x140],
    "noise in the tracks": lambda data: data[:0x130] + b"\0" * 200 + data[0x1F8:],
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_a_file_with_another_structure_is_not_changed(plain, change):
    data = change(plain.read_bytes())
    assert data != plain.read_bytes()
    plain.write_bytes(data)
    assert not write_aspect_ratios(plain, [Fraction(4, 3)])
    assert plain.read_bytes() == data


@pytest.mark.parametrize("ratios", [[], [Fraction(4, 3)] * 2], ids=["fewer", "more"])
def test_a_wrong_number_of_ratios_is_not_written(plain, ratios):
    data = plain.read_bytes()
    assert not write_aspect_ratios(plain, ratios)
    assert plain.read_bytes() == data


def test_an_existing_display_size_is_kept(plain):
    assert write_aspect_ratios(plain, [Fraction(4, 3)])
    data = plain.read_bytes()
    assert write_aspect_ratios(plain, [Fraction(8, 9)])
    assert displayed(plain) == {"54b0": 16, "54ba": 9, "54b2": 3}
    check(plain)
    assert len(plain.read_bytes()) == len(data)
