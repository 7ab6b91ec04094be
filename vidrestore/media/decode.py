"""A streaming decoder: frames in their own planes, each with the timestamp it came with."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.stream import Discard
from av.video.reformatter import Interpolation, VideoReformatter

from ..errors import InputError
from .colour import Colour
from .picture import Picture
from .pixels import planar_format, planar_twin, plane_views
from .probe import USUAL_RATE, frame_rate, main_video, open_input
from .timeline import Span, Timeline

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Frame:
    """One decoded frame, in a planar format."""

    index: int  #: counted from 0, the first one that is wanted
    video: av.VideoFrame
    colour: Colour
    context: bool = False  #: outside the part that is wanted, to look at only
    _editable: bool = field(default=False, repr=False)

    @property
    def time(self) -> Fraction:
        """Presentation time in seconds."""
        return self.video.pts * self.video.time_base

    @property
    def turns(self) -> int:
        """Quarter turns counter-clockwise from the stored picture to the displayed one, 0 to 3."""
        return round(self.video.rotation / 90) % 4

    @property
    def upright(self) -> np.ndarray:
        """(3, 3) map from stored pixels to pixels as displayed: a rotation by quarter turns."""
        width, height = self.video.width, self.video.height
        return np.array(
            {
                0: ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
                1: ((0, 1, 0), (-1, 0, width), (0, 0, 1)),
                2: ((-1, 0, width), (0, -1, height), (0, 0, 1)),
                3: ((0, -1, height), (1, 0, 0), (0, 0, 1)),
            }[self.turns],
            float,
        )

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as displayed."""
        size = (self.video.width, self.video.height)
        return size[::-1] if self.turns % 2 else size

    def picture(self, *, editable: bool = False) -> Picture:
        """The planes. With ``editable`` they are this frame's alone: a decoder keeps its frames to
        predict later ones from, so what is written to must be a copy."""
        if editable and not self._editable:
            self.video.make_writable()
            self._editable = True
        form = planar_format(self.video.format.name)
        return Picture(plane_views(self.video), form, self.colour)


class Thumbnails:
    """Small upright BGR pictures of frames, for detection. One is kept for a whole video."""

    def __init__(self, width: int, height: int) -> None:
        """``width`` and ``height``: the size of the upright picture in pixels."""
        self._size = (width, height)
        self._reformatter = VideoReformatter()

    def __call__(self, frame: Frame) -> np.ndarray:
        """(height, width, 3) uint8."""
        width, height = self._size[::-1] if frame.turns % 2 else self._size
        small = self._reformatter.reformat(
            frame.video, width, height, "bgr24", interpolation=Interpolation.BILINEAR
        )
        return np.ascontiguousarray(np.rot90(small.to_ndarray(), frame.turns))


class Decoder:
    """Decodes the main video of a file, one frame at a time: iterate over it, once. A context manager."""

    def __init__(
        self, path: Path, span: Span | None = None, *, context: int = 0, video_stream: int | None = None
    ) -> None:
        """Open the file and decode its first frame. Raises InputError, UsageError for a ``video_stream``
        (by default the main one) that is none.

        ``context`` is how many frames beyond each end of the span come as well, where there are any.
        """
        self.path = path
        self._context = context
        self._container = open_input(path)
        try:
            self._open(span or Span(), video_stream)
            self._frames = self._wanted()
            self.first = next(self._frames)
        except BaseException:
            self._container.close()
            raise

    def _open(self, span: Span, video_stream: int | None) -> None:
        self.stream = main_video(self._container, self.path, video_stream)
        self.stream.thread_type = "AUTO"
        for other in self._container.streams:
            if other.index != self.stream.index:
                other.discard = Discard.all
        begin = Fraction(self._container.start_time or 0, av.time_base)
        self.timeline = Timeline(begin, span)
        #: Packets that could not be decoded.
        self.damaged = 0
        self._reformatter = VideoReformatter()

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._frames.close()
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames within the span, in the order of their times."""
        return chain((self.first,), self._frames)

    def _wanted(self) -> Iterator[Frame]:
        timeline = self.timeline
        if timeline.span.start:
            margin = 2 * self._context / (frame_rate(self.stream) or USUAL_RATE)
            self._container.seek(int(max(timeline.begin, timeline.start - margin) * av.time_base))
        index = repaired = beyond = 0
        before: deque[av.VideoFrame] = deque(maxlen=self._context)
        previous: int | None = None
        for video in self._decoded():
            pts = self._timestamp(video, previous)
            repaired += pts != video.pts
            video.pts = previous = pts
            time = video.pts * video.time_base
            if timeline.span.start and time < timeline.start:
                before.append(video)
                continue
            ended = timeline.end is not None and time >= timeline.end
            if ended and (beyond == self._context or not index):
                break
            while before:
                yield self._frame(-len(before), before.popleft(), context=True)
            yield self._frame(index + beyond, video, context=ended)
            if ended:
                beyond += 1
            else:
                index += 1
        if index == 0:
            raise InputError(self._nothing_found())
        if self.damaged:
            log.warning("%d damaged packets of %s could not be decoded", self.damaged, self.path.name)
        if repaired:
            log.warning("%d frames of %s had no timestamp of their own", repaired, self.path.name)
        expected = self.stream.frames
        # AVI counts an empty packet at its end as a frame.
        if timeline.span.whole and expected > index + 1:
            log.warning("%s ends early: %d of %d frames could be read", self.path.name, index, expected)

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                # What is behind is lost, as it is to a player; what was read is not.
                log.warning("reading %s stopped before its end: %s", self.path.name, error.strerror)
                packet = None
            try:
                yield from self.stream.decode(packet)
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.damaged += 1
            if packet is None:
                return

    def _timestamp(self, video: av.VideoFrame, previous: int | None) -> int:
        """The frame's own timestamp, or where it has none, or one that has been, the one it should have."""
        for stamp in (video.pts, video.dts):
            if stamp is not None and (previous is None or stamp > previous):
                return stamp
        step = 1 / ((frame_rate(self.stream) or USUAL_RATE) * video.time_base)
        return 0 if previous is None else previous + max(1, round(step))

    def _frame(self, index: int, video: av.VideoFrame, *, context: bool) -> Frame:
        return Frame(index, self._planar(video), self._colour(video), context)

    def _planar(self, video: av.VideoFrame) -> av.VideoFrame:
        twin = planar_twin(video.format.name)
        if twin == video.format.name:
            return video
        return self._reformatter.reformat(video, format=twin)

    def _colour(self, video: av.VideoFrame) -> Colour:
        return Colour.from_tags(
            video.colorspace, video.color_range, video.width, video.height, video.format.name
        )

    def _nothing_found(self) -> str:
        if self.timeline.span.whole:
            return f"no frame of {self.path} could be decoded; the file is damaged or cut short"
        return f"{self.path} has no frame in the part asked for; check -ss, -t and -to"
