"""Interlaced video: whether it is, and one whole frame made of every two fields.

Whether a video is interlaced is judged by its first frames, as it is for every part of it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
from av.filter import Graph
from av.filter.context import FilterContext

from ..frames.pixel_format import planar_format
from ..probe import main_video, open_input

CHOICES = ("auto", "off", "bwdif")

#: AVFieldOrder: top or bottom field first, as coded and as shown.
_TOP_FIRST, _BOTTOM_FIRST = (2, 5), (3, 4)
#: Frames that are measured, and how many must be told apart, nearly all of them alike. FFmpeg's idet errs
#: on moving patterns, and a progressive video must not be touched.
_MEASURED, _DECIDED, _ALIKE = 48, 10, 0.9
#: The heights in which interlaced video was made; others are not measured.
_HEIGHTS = (480, 486, 512, 576, 608, 1080, 1088)


@dataclass(frozen=True)
class Scan:
    """How a video was scanned."""

    flagged: bool = False  #: it says of itself that it is interlaced
    measured: str | None = None  #: ``tff`` or ``bff``, the order of the fields that its pictures show

    @property
    def interlaced(self) -> bool:
        """Either tells so."""
        return self.flagged or self.measured is not None

    def __str__(self) -> str:
        if self.flagged:
            return "interlaced, as it says"
        order = {"tff": "top", "bff": "bottom"}
        return (
            f"interlaced, {order[self.measured]} field first, by its look" if self.measured else "progressive"
        )


def find_scan(path: Path, video_stream: int | None = None) -> Scan:
    """Judge a file by its headers and first frames. Raises InputError."""
    state = path.stat() if path.exists() else None
    return _find_scan(path, video_stream, state and (state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=16)
def _find_scan(path: Path, video_stream: int | None, state: object) -> Scan:
    with open_input(path) as container:
        stream = main_video(container, path, video_stream)
        stream.thread_type = "AUTO"
        if stream.codec_context.field_order in _TOP_FIRST + _BOTTOM_FIRST:
            return Scan(flagged=True)
        if stream.codec_context.height not in _HEIGHTS:
            return Scan()
        found: Counter[str] = Counter()
        flow: _Flow | None = None
        # What is damaged is told of where the video is read.
        with suppress(av.error.FFmpegError):
            for number, frame in enumerate(container.decode(stream)):
                if number == _MEASURED:
                    break
                if planar_format(frame.format.name) is None:
                    break  # palettes, RGB and the like were never interlaced
                flow = flow or _Flow(frame, "idet")
                for measured in flow(frame):
                    found[measured.metadata["lavfi.idet.single.current_frame"]] += 1
    decided = found["tff"] + found["bff"] + found["progressive"]
    order = max(("tff", "bff"), key=found.__getitem__)
    if decided >= _DECIDED and found[order] >= _ALIKE * decided:
        return Scan(measured=order)
    return Scan()


class Deinterlacer:
    """Makes whole frames of interlaced ones by FFmpeg's bwdif, which looks at the frames before and after."""

    def __init__(self, scan: Scan, *, every: bool = False) -> None:
        """Of a ``flagged`` video only the frames that say so are changed, unless ``every`` one is to be."""
        order = scan.measured or "auto"
        changed = "all" if every or scan.measured else "interlaced"
        self._settings = f"mode=send_frame:parity={order}:deint={changed}"

    def __call__(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """As many frames as come, all of one size and format, with the timestamps that they came with."""
        flow: _Flow | None = None
        times: deque[tuple[int, object]] = deque()
        for frame in frames:
            times.append((frame.pts, frame.time_base))
            flow = flow or _Flow(frame, "bwdif", self._settings)
            for whole in flow(frame):
                whole.pts, whole.time_base = times.popleft()
                yield whole
        for whole in flow(None) if flow else ():
            whole.pts, whole.time_base = times.popleft()
            yield whole


class _Flow:
    """Frames through one of FFmpeg's filters."""

    def __init__(self, first: av.VideoFrame, name: str, settings: str | None = None) -> None:
        self._graph = Graph()
        self._source: FilterContext = self._graph.add(
            "buffer",
            video_size=f"{first.width}x{first.height}",
            pix_fmt=first.format.name,
            time_base=str(first.time_base),
            colorspace=str(int(first.colorspace)),
            range=str(int(first.color_range)),
        )
        middle = self._graph.add(name, settings)
        self._sink = self._graph.add("buffersink")
        self._source.link_to(middle)
        middle.link_to(self._sink)
        self._graph.configure()

    def __call__(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        self._source.push(frame)
        while True:
            try:
                yield self._sink.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
