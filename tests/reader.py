"""An independent reader: what an ffmpeg binary, not this package, finds in a file."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import ffmpeg
import imageio_ffmpeg


@cache
def binary() -> str:
    """The ffmpeg that is installed, or the one that a wheel carries."""
    return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


@dataclass(frozen=True)
class Line:
    """One packet or decoded frame."""

    stream: int
    time: Fraction  #: presentation time in seconds
    duration: Fraction
    digest: str


def packets(path: Path, streams: str = "0") -> list[Line]:
    """Packets of the streams that ``-map`` selects, with a hash of each one's bytes."""
    return _lines(path, streams, codec="copy")


def frames(path: Path, streams: str = "0:v:0", **options: object) -> list[Line]:
    """Decoded frames, with a hash of each one's samples."""
    # The encoder that hashes must count in the file's own ticks, not in frames of its average rate.
    return _lines(path, streams, enc_time_base="demux", **options)


def describe(path: Path) -> str:
    """What ffmpeg prints of a file's streams."""
    process = (
        ffmpeg.input(str(path))
        .output("-", format="null", t=0)
        .run_async(cmd=binary(), pipe_stdout=True, pipe_stderr=True)
    )
    return process.communicate()[1].decode()


def _lines(path: Path, streams: str, **options: object) -> list[Line]:
    # copyts and vsync passthrough: times as they stand in the file, no frame dropped or doubled.
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
