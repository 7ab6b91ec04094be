"""Detecting interlaced video, and deinterlacing it: one progressive frame for each interlaced one.

A video is judged by its first frames, so that every part of it is judged alike.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import cast

import av
import av.error
from av.filter import Graph
from av.filter.context import FilterContext

from ..frames.pixel_format import is_planar
from ..probe import main_video, open_input

CHOICES = ("auto", "off", "bwdif")

#: AVFieldOrder: top or bottom field first, as coded and as displayed.
_INTERLACED = (2, 3, 4, 5)
#: Frames that are measured; how many of them must be decided, and which share of those must agree. FFmpeg's
#: idet errs on moving patterns, and a progressive video must not be touched.
_MEASURED, _MIN_DECIDED, _MIN_AGREEING = 48, 10, 0.9
#: The heights at which interlaced video was produced; other videos are not measured.
_HEIGHTS = (480, 486, 512, 576, 608, 1080, 1088)


@dataclass(frozen=True)
class Scan:
    """Whether a video is interlaced, and how that is known."""

    flagged: bool = False  #: its header says so
    measured: str | None = None  #: ``tff`` or ``bff``: the field order measured in its frames

    @property
    def interlaced(self) -> bool:
        """Whether either says that the video is interlaced."""
        return self.flagged or self.measured is not None

    def __str__(self) -> str:
        if self.flagged:
            return "interlaced (flagged)"
        if self.measured:
            order = {"tff": "top", "bff": "bottom"}[self.measured]
            return f"interlaced (measured, {order} field first)"
        return "progressive"


def find_scan(path: Path, video_stream: int | None = None) -> Scan:
    """Judge a file by its headers and its first frames. Raises InputError."""
    state = path.stat() if path.exists() else None
    return _find_scan(path, video_stream, state and (state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=16)
def _find_scan(path: Path, video_stream: int | None, file_state: object) -> Scan:
    with open_input(path) as container:
        stream = main_video(container, path, video_stream)
        stream.thread_type = "AUTO"
        if is_flagged(stream):
            return Scan(flagged=True)
        if stream.codec_context.height not in _HEIGHTS:
            return Scan()
        counts: Counter[str] = Counter()
        idet: _Filter | None = None
        # Damage is reported where the video is read as a whole.
        with suppress(av.error.FFmpegError):
            for number, frame in enumerate(container.decode(stream)):
                if number == _MEASURED:
                    break
                if not is_planar(frame.format.name):
                    break  # palettes, RGB and the like were never interlaced
                idet = idet or _Filter(frame, "idet")
                for measured in idet(frame):
                    counts[measured.metadata["lavfi.idet.single.current_frame"]] += 1
    decided = counts["tff"] + counts["bff"] + counts["progressive"]
    order = max(("tff", "bff"), key=counts.__getitem__)
    if decided >= _MIN_DECIDED and counts[order] >= _MIN_AGREEING * decided:
        return Scan(measured=order)
    return Scan()


def is_flagged(stream: av.VideoStream) -> bool:
    """Whether the header of a stream says that it is interlaced."""
    return stream.codec_context.field_order in _INTERLACED


class Deinterlacer:
    """Deinterlaces with FFmpeg's bwdif, which looks at the frames before and after each one."""

    def __init__(self, scan: Scan, *, every: bool = False) -> None:
        """In a ``flagged`` video only the frames that are flagged are deinterlaced, unless ``every``."""
        parity = scan.measured or "auto"
        which = "all" if every or scan.measured else "interlaced"
        self._options = f"mode=send_frame:parity={parity}:deint={which}"

    def __call__(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Yield one frame for each that comes, with its time and duration. All must have one size and
        format."""
        bwdif: _Filter | None = None
        # The filter counts in fields, of which a frame has two.
        times: deque[tuple[int | None, Fraction | None, int]] = deque()
        for frame in frames:
            times.append((frame.pts, frame.time_base, frame.duration))
            bwdif = bwdif or _Filter(frame, "bwdif", self._options)
            for progressive in bwdif(frame):
                progressive.pts, progressive.time_base, progressive.duration = times.popleft()
                yield progressive
        for progressive in bwdif(None) if bwdif else ():
            progressive.pts, progressive.time_base, progressive.duration = times.popleft()
            yield progressive


class _Filter:
    """One of FFmpeg's video filters."""

    def __init__(self, first: av.VideoFrame, name: str, options: str | None = None) -> None:
        self._graph = Graph()
        self._source: FilterContext = self._graph.add(
            "buffer",
            video_size=f"{first.width}x{first.height}",
            pix_fmt=first.format.name,
            time_base=str(first.time_base),
            colorspace=str(int(first.colorspace)),
            range=str(int(first.color_range)),
        )
        middle = self._graph.add(name, options)
        self._sink = self._graph.add("buffersink")
        self._source.link_to(middle)
        middle.link_to(self._sink)
        self._graph.configure()

    def __call__(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """The frames that are ready after ``frame`` went in; after None, those that are left."""
        self._source.push(frame)
        while True:
            try:
                yield cast(av.VideoFrame, self._sink.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return
