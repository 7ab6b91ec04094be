"""The shape of pixels in Matroska and WebM, as an ffmpeg binary reads it, in files that stay whole."""

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
WAYS = {
    "VP9 in Matroska": ("libvpx-vp9", "mkv"),
    "AV1 in Matroska": ("libsvtav1", "mkv"),
    "FFV1 in Matroska": ("ffv1", "mkv"),
    "H.264 in Matroska": ("libx264", "mkv"),
    "VP9 in WebM": ("libvpx-vp9", "webm"),
}
SHAPES = [Fraction(4, 3), Fraction(16, 15), Fraction(8, 9)]

#: Elements that hold others (RFC 9559): the segment, its tracks and what leads to places in it.
MASTERS = {"18538067", "114d9b74", "4dbb", "1654ae6b", "ae", "e0", "1c53bb6b", "bb", "b7"}


@dataclass(frozen=True)
class Node:
    """An element: its ID in hexadecimal, where it begins and its content does, and where it ends."""

    kind: str
    place: int
    begin: int
    end: int
    parents: tuple[str, ...]


def walk(data: bytes, begin: int = 0, end: int | None = None, parents: tuple[str, ...] = ()) -> list[Node]:
    """All elements of a file, which must fill their parents without a rest."""
    nodes, place = [], begin
    end = len(data) if end is None else end
    while place < end:
        length = 9 - data[place].bit_length()
        kind = data[place : place + length].hex()
        size_at = place + length
        length = 9 - data[size_at].bit_length()
        size = int.from_bytes(data[size_at : size_at + length]) - (1 << 7 * length)
        content = size_at + length
        assert content + size <= end, f"{kind} at {place} reaches beyond its parent"
        nodes.append(Node(kind, place, content, content + size, parents))
        if kind in MASTERS:
            nodes += walk(data, content, content + size, (*parents, kind))
        place = content + size
    return nodes


def check(path: Path) -> list[Node]:
    """Assert that positions lead to what they name and that checksums hold."""
    data = path.read_bytes()
    nodes = walk(data)
    kinds = {node.place: node.kind for node in nodes}
    (segment,) = (node for node in nodes if node.kind == "18538067")
    named = [data[n.begin : n.end].hex() for n in nodes if n.kind == "53ab"]
    sought = [int.from_bytes(data[n.begin : n.end]) for n in nodes if n.kind == "53ac"]
    assert [kinds.get(segment.begin + place) for place in sought] == named
    assert {"1549a966", "1654ae6b"} <= set(named)
    clusters = [int.from_bytes(data[n.begin : n.end]) for n in nodes if n.kind == "f1" and "b7" in n.parents]
    assert clusters
    assert all(kinds[segment.begin + place] == "1f43b675" for place in clusters)
    for node in nodes:
        if node.kind in ("114d9b74", "1549a966", "1654ae6b", "1c53bb6b") and data[node.begin] == 0xBF:
            crc = int.from_bytes(data[node.begin + 2 : node.begin + 6], "little")
            assert crc == zlib.crc32(data[node.begin + 6 : node.end]), node
    return nodes


def source(path: Path, shape: Fraction | None = Fraction(4, 3), size: tuple[int, int] = (64, 48)) -> Path:
    return write(path, [pattern(i, *size, "yuv420p") for i in range(8)], aspect=shape, options={"g": "4"})


def text(shape: Fraction) -> str:
    return f"{shape.numerator}:{shape.denominator}"


@pytest.mark.parametrize("shape", SHAPES, ids=text)
@pytest.mark.parametrize(("codec", "ending"), WAYS.values(), ids=WAYS)
def test_the_shape_of_pixels_is_told(tmp_path, monkeypatch, codec, ending, shape):
    clip = source(tmp_path / "in.mp4", shape)
    plain = tmp_path / f"plain.{ending}"

    def also_kept(path: Path, told: list[Fraction | None]) -> bool:
        shutil.copy(path, plain)
        return write_aspect_ratios(path, told)

    monkeypatch.setattr(finalizers, "write_aspect_ratios", also_kept)
    out = pass_through(clip, tmp_path / f"out.{ending}", EncoderSettings(codec=codec))
    assert listing.aspect_ratios(out) == [text(shape)]
    check(plain)
    check(out)
    assert out.stat().st_size == plain.stat().st_size
    assert reader.packets(out) == reader.packets(plain)
    assert reader.frames(out) == reader.frames(plain)
    assert len(reader.frames(out)) == 8
    assert reader.frames(out, ss=0.2) == reader.frames(plain, ss=0.2)
    told = displayed(out)
    if ending == "mkv":
        # As FFmpeg's own file of the same video.
        own = tmp_path / "own.mkv"
        ffmpeg("-i", clip, "-c:v", codec, "-frames:v", 1, own)
        assert told == displayed(own)
    else:
        assert Fraction(told["54b0"] * 48, told["54ba"] * 64) == shape


def test_a_video_in_segments_tells_it_too(tmp_path):
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
    data = path.read_bytes()
    return {
        n.kind: int.from_bytes(data[n.begin : n.end])
        for n in walk(data)
        if n.kind in ("54b0", "54ba", "54b2")
    }


PIXELS = {
    "widened": ((720, 576), Fraction(64, 45), (1024, 576)),
    "heightened": ((720, 480), Fraction(8, 9), (720, 540)),
    "exact only when lowered": ((720, 480), Fraction(32, 27), (720, 405)),
    "exact only when narrowed": ((64, 50), Fraction(15, 16), (60, 50)),
    "to the nearest": ((720, 574), Fraction(59, 54), (787, 574)),
    "to the nearest, heightened": ((722, 480), Fraction(54, 59), (722, 524)),
}


@pytest.mark.parametrize(("size", "shape", "shown"), PIXELS.values(), ids=PIXELS)
def test_webm_has_whole_square_pixels(tmp_path, size, shape, shown):
    clip = source(tmp_path / "in.mp4", None, size)
    out = tmp_path / "out.webm"
    ffmpeg("-i", clip, "-c:v", "libvpx-vp9", "-cpu-used", 8, "-deadline", "realtime", "-frames:v", 2, out)
    assert write_aspect_ratios(out, [shape])
    check(out)
    assert displayed(out) == {"54b0": shown[0], "54ba": shown[1]}


def test_everything_else_is_still_there(tmp_path):
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
    kinds = {node.kind for node in check(out)}
    assert {"1043a770", "1941a469", "1254c367"} <= kinds  # chapters, attachments, tags
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
    """A file that says nothing of its pixels' shape."""
    return pass_through(source(tmp_path / "in.mp4", None), tmp_path / "plain.mkv", FFV1)


def _renamed(element: str, other: str):
    return lambda data: data.replace(bytes.fromhex(element), bytes.fromhex(other), 1)


def _without_void(data: bytes) -> bytes:
    void = next(node for node in walk(data) if node.kind == "ec")
    segment = next(node for node in walk(data) if node.kind == "18538067")
    size = (segment.end - segment.begin - void.end + void.place | 1 << 56).to_bytes(8)
    return data[: segment.begin - 8] + size + data[segment.begin : void.place] + data[void.end :]


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
def test_a_file_otherwise_than_expected_is_left_alone(plain, change):
    data = change(plain.read_bytes())
    assert data != plain.read_bytes()
    plain.write_bytes(data)
    assert not write_aspect_ratios(plain, [Fraction(4, 3)])
    assert plain.read_bytes() == data


@pytest.mark.parametrize("told", [[], [Fraction(4, 3)] * 2], ids=["fewer", "more"])
def test_shapes_of_other_tracks_are_not_written(plain, told):
    data = plain.read_bytes()
    assert not write_aspect_ratios(plain, told)
    assert plain.read_bytes() == data


def test_what_is_told_already_stays(plain):
    assert write_aspect_ratios(plain, [Fraction(4, 3)])
    data = plain.read_bytes()
    assert write_aspect_ratios(plain, [Fraction(8, 9)])
    assert displayed(plain) == {"54b0": 16, "54ba": 9, "54b2": 3}
    check(plain)
    assert len(plain.read_bytes()) == len(data)
