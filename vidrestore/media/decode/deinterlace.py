"""Detecting interlaced video, and deinterlacing it: one progressive frame for each interlaced one.

A video is judged by the same frames for every part of it, so that all of it is judged alike.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import cast

import av
import av.error
from av.container import InputContainer
from av.filter import Graph
from av.filter.context import FilterContext

from ..frames.pixel_format import is_planar
from ..probe import main_video, open_input

CHOICES = ("auto", "off", "bwdif")

#: AVFieldOrder: top or bottom field first, as coded and as displayed.
_TOP_FIRST, _BOTTOM_FIRST = 2, 3
_INTERLACED = (_TOP_FIRST, _BOTTOM_FIRST, 4, 5)
#: Frames that are measured at one place; how many must be decided, and which share of those must agree.
#: FFmpeg's idet errs on moving patterns, and a progressive video must not be touched.
_MEASURED, _MIN_DECIDED, _MIN_AGREEING = 48, 10, 0.9
#: Places that are measured, evenly over the video, until enough frames are decided: black frames and still
#: pictures decide nothing, and tapes begin with them.
_PLACES = 5
#: Frames that are decoded at most to get from a key frame to a place and through it: ten seconds and more.
_REACH = 300
#: The heights at which interlaced video was produced; other videos are not measured.
_HEIGHTS = (480, 486, 512, 576, 608, 1080, 1088)


@dataclass(frozen=True)
class Scan:
    """Whether a video is interlaced, and how that is known."""

    flagged: bool = False  #: its header says so, or, where that says nothing, its first frame
    order: int = 0  #: the AVFieldOrder that these say
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


def find_scan(path: Path, video_stream: int | None = None, *, measure: bool = True) -> Scan:
    """Judge a file by its header and its first frame, and, unless ``measure`` is false, by frames at up to
    five places. Raises InputError."""
    state = path.stat() if path.exists() else None
    return _find_scan(path, video_stream, measure, state and (state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=16)
def _find_scan(path: Path, video_stream: int | None, measure: bool, file_state: object) -> Scan:
    with open_input(path) as container:
        stream = main_video(container, path, video_stream)
        stream.thread_type = "AUTO"
        order: int = stream.codec_context.field_order
        if order in _INTERLACED:
            return Scan(flagged=True, order=order)
        if not order:
            order = _order_of_frames(container, stream)
        by_frames = Scan(flagged=order in _INTERLACED, order=order)
        if not measure or stream.codec_context.height not in _HEIGHTS:
            return by_frames
        counts = _count(container, stream)
    decided = counts.total()
    fields = max(("tff", "bff"), key=counts.__getitem__)
    if decided >= _MIN_DECIDED and counts[fields] >= _MIN_AGREEING * decided:
        return Scan(measured=fields)
    # Every camera that records DV flags all its frames, also those that it took at once.
    progressive = decided >= _MIN_DECIDED and counts["progressive"] >= _MIN_AGREEING * decided
    return Scan() if progressive and by_frames.flagged else by_frames


def _order_of_frames(container: InputContainer, stream: av.VideoStream) -> int:
    """The AVFieldOrder that the first frame says, or 0: of DV, MPEG-4 Part 2 and DNxHD only frames do."""
    with suppress(av.error.FFmpegError, IndexError):
        frame = next(container.decode(stream), None)
        if frame is not None and frame.interlaced_frame:
            # PyAV does not tell which field is first.
            bottom_first = _Filter(frame, "select", r"eq(interlace_type\,BOTTOMFIRST)")
            return _TOP_FIRST if next(bottom_first(frame), None) is None else _BOTTOM_FIRST
    return 0


def _count(container: InputContainer, stream: av.VideoStream) -> Counter[str]:
    """How many frames ``idet`` finds to be ``tff``, ``bff`` and ``progressive``; others do not count."""
    counts: Counter[str] = Counter()
    begin, length = container.start_time or 0, container.duration or 0  # in units of av.time_base
    last = -math.inf  #: the time of the last frame that was measured, in seconds
    for place in range(_PLACES if length > 0 else 1):
        # Damage is reported where the video is read as a whole. PyAV ends with an IndexError where it meets
        # a stream that it does not know.
        with suppress(av.error.FFmpegError, IndexError):
            if place:
                target = begin + length * place // _PLACES
                container.seek(target)
                after = max(last, target / av.time_base)
                frames = (f for f in islice(container.decode(stream), _REACH) if (f.time or 0) > after)
            else:
                frames = container.decode(stream)
            idet: _Filter | None = None
            for frame in islice(frames, _MEASURED):
                if not is_planar(frame.format.name):
                    return counts  # palettes, RGB and the like were never interlaced
                idet = idet or _Filter(frame, "idet")
                for measured in idet(frame):
                    counts[measured.metadata["lavfi.idet.single.current_frame"]] += 1
                last = max(last, frame.time or 0)
        del counts["undetermined"]
        if counts.total() >= _MIN_DECIDED:
            break
    return counts


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
