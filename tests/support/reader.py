"""An independent reader: what an ffmpeg binary, rather than this package, reads from a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import ffmpeg
import imageio_ffmpeg


@cache
def binary() -> str:
    """The path of the ffmpeg binary in the imageio-ffmpeg wheel.

    Tests never use an ffmpeg on PATH: its options and the text it prints depend on its version.
    """
    folder = Path(imageio_ffmpeg.__file__).parent / "binaries"
    binaries = list(folder.glob("ffmpeg-*"))
    assert len(binaries) == 1, f"{folder} must hold one ffmpeg: install imageio-ffmpeg from a wheel"
    return str(binaries[0])


@dataclass(frozen=True)
class Line:
    """One packet or decoded frame, as a line of FFmpeg's ``framehash`` muxer."""

    stream: int
    time: Fraction  #: presentation time in seconds
    duration: Fraction
    digest: str


def packets(path: Path, streams: str = "0", **options: object) -> list[Line]:
    """The packets of the streams that ``-map`` selects, with a hash of their bytes."""
    return _lines(path, streams, codec="copy", **options)


def frames(path: Path, streams: str = "0:v:0", **options: object) -> list[Line]:
    """The decoded frames of the streams that ``-map`` selects, with a hash of their samples."""
    # Otherwise times would be rounded to frames of the average rate.
    return _lines(path, streams, enc_time_base="demux", **options)


def describe(path: Path) -> str:
    """What ffmpeg prints about a file and its streams."""
    process = (
        ffmpeg.input(str(path))
        .output("-", format="null", t=0)
        .run_async(cmd=binary(), pipe_stdout=True, pipe_stderr=True)
    )
    return process.communicate()[1].decode()


def _lines(path: Path, streams: str, **options: object) -> list[Line]:
    # copyts and fps_mode passthrough: the file's own timestamps, no frame dropped or duplicated.
    stream = ffmpeg.input(str(path), copyts=None).output(
        "-", map=streams, format="framehash", hash="md5", fps_mode="passthrough", **options
    )
    out, _ = stream.run(cmd=binary(), capture_stdout=True, capture_stderr=True)
    bases: dict[int, Fraction] = {}
    lines = []
    for text in out.decode().splitlines():
        if text.startswith("#tb"):
            index, base = text[4:].split(":")
            bases[int(index)] = Fraction(base.strip())
        elif not text.startswith("#"):
            index, _, pts, duration, _, digest = (part.strip() for part in text.split(",")[:6])
            base = bases[int(index)]
            lines.append(Line(int(index), int(pts) * base, int(duration) * base, digest))
    return lines


@dataclass(frozen=True)
class Shown:
    """What FFmpeg's filter ``showinfo`` prints about a decoded frame."""

    pix_fmt: str
    chroma: str  #: the position of chroma samples
    field: str  #: P: progressive; T or B: interlaced with the top or bottom field first
    range: str
    matrix: str
    primaries: str
    transfer: str
    side_data: tuple[str, ...]


def show(path: Path) -> Shown:
    """What ``showinfo`` prints about the first frame of a file."""
    stream = ffmpeg.input(str(path)).video.filter("showinfo").output("-", format="null", **{"frames:v": 1})
    text = stream.run(cmd=binary(), capture_stdout=True, capture_stderr=True)[1].decode()
    lines = [line.partition("] ")[2] for line in text.splitlines() if "Parsed_showinfo" in line]
    frame = next(line for line in lines if re.match(r"n: *0 ", line))
    colour = next(line for line in lines if "color_range" in line)
    words = dict(re.findall(r"(\w+):(\S+)", f"{frame} {colour}"))
    until = next((i for i, line in enumerate(lines) if re.match(r"n: *1 ", line)), len(lines))
    side = tuple(line.partition("side data - ")[2] for line in lines[:until] if "side data - " in line)
    names = ("color_range", "color_space", "color_primaries", "color_trc")
    return Shown(words["fmt"], words["cl"], words["i"], *(words[name] for name in names), side)


def planes(path: Path, pix_fmt: str, size: tuple[int, int]) -> list[bytes]:
    """The samples of every decoded frame in a planar format, which must be the file's own."""
    out, _ = (
        ffmpeg.input(str(path))
        .output("-", format="rawvideo", pix_fmt=pix_fmt, fps_mode="passthrough", map="0:v:0")
        .run(cmd=binary(), capture_stdout=True, capture_stderr=True)
    )
    form = av.VideoFormat(pix_fmt, *size)
    length = sum(c.width * c.height * ((c.bits + 7) // 8) for c in form.components)
    assert len(out) % length == 0
    return [out[i : i + length] for i in range(0, len(out), length)]
