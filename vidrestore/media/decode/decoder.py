"""A streaming decoder: planar frames, each with the timestamp that it came with."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from math import ceil
from pathlib import Path

import av
import av.error
from av.container import InputContainer

from ...errors import InputError
from ..frames.frame import Frame, presentation_time
from ..frames.hdr_metadata import HdrMetadata
from ..frames.side_data import (
    SECOND_LAYER,
    SPHERICAL,
    carried,
    display_matrix,
    is_mirrored,
    leave_stereo_to_container,
)
from ..image_sequence import is_sequence, refuse_gap
from ..presentation import read_presentation
from ..probe import clock_is_steady, length_of, time_before_zero
from ..source_video import SourceVideo
from ..timecode import timecode, timecode_at
from ..timeline import Span, Timeline
from .damage import Damage
from .deinterlace import Deinterlacer, find_scan
from .fingerprint import FrameFingerprint
from .frame_reader import FrameReader
from .picture_timecodes import PictureTimecodes
from .pixel_aspect import pixel_aspect

log = logging.getLogger(__name__)

_PROGRESSIVE = 1  # AV_FIELD_PROGRESSIVE
#: Seconds before a frame from which decoding starts in order to reach it: its reference frames lie there.
_RESUME_LEAD = Fraction(2)
#: Seconds before the beginning of the span to seek to, tried one after another.
_SEEK_LEADS = (0, 2, 12, 60)


class Decoder:
    """Decodes the main video of a file, one frame at a time: iterate over it, once. A context manager."""

    def __init__(
        self,
        path: Path,
        span: Span | None = None,
        *,
        context: int = 0,
        video_stream: int | None = None,
        deinterlace: str = "off",
        strict: bool = False,
        rate: Fraction | None = None,
    ) -> None:
        """Open the file and decode its first frame.

        Args:
            path: A file, or the pattern of numbered images (``frame_%06d.png``).
            span: The part to decode; by default the whole video.
            context: How many frames before and after the span to deliver as well, if they exist.
            video_stream: Index of the stream to decode; by default the main video.
            deinterlace: One of ``deinterlace.CHOICES``: ``auto`` deinterlaces video that is flagged or
                measured as interlaced, ``bwdif`` every frame, ``off`` none.
            strict: Raise InputError for the first damage.
            rate: Frames per second of numbered images.

        Raises:
            InputError: The file cannot be read, has no frame in the span, or lacks a numbered image of it.
            UsageError: ``video_stream`` is not a video stream, or ``rate`` does not apply.
        """
        self.path = path
        span = span or Span()
        self.context = context  #: frames before and after the span that it delivers as well
        self._resumed = False
        self._source: SourceVideo | None = None  # while the first frame is decoded
        self._reader = FrameReader(path, video_stream, from_start=not span.start, rate=rate, strict=strict)
        try:
            if is_sequence(path):
                refuse_gap(path, None if span.end is None else ceil(span.end * self._reader.rate))
            begin = Fraction(self._reader.container.start_time or 0, av.time_base)
            self.timeline = Timeline(begin, span, time_before_zero(self._reader.container))
            #: Whether the video is interlaced; only its header and first frame tell if deinterlacing is off.
            self.scan = find_scan(path, video_stream, measure=deinterlace != "off")
            self.deinterlaces = deinterlace == "bwdif" or (deinterlace == "auto" and self.scan.interlaced)
            self._every = deinterlace == "bwdif"
            self._timecodes = PictureTimecodes(self._reader.rate, begin)
            self._frames = self._span_frames()
            #: The first frame, which iterating yields too.
            self.first = next(self._frames)
            self._first_time = self.first.time  # writing the frame may change its own
            if self.first.time < -self.timeline.move:  # without a time, it was placed before others
                self.timeline = replace(self.timeline, move=-self.first.time)
            #: Facts about the video, for encoding it.
            self.source = self._source = self._describe()
            leave_stereo_to_container(self.first.video)
            for remark in self._reader.tags.remarks(self.first.video):
                log.warning("%s: %s", path.name, remark)
        except BaseException:
            self._reader.close()
            raise

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._frames.close()
        self._reader.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames of the span in presentation order, with their context; only those after the frame given
        to ``resume_after``, if that was called."""
        return self._frames if self._resumed else chain((self.first,), self._frames)

    @property
    def container(self) -> InputContainer:
        """The open file."""
        return self._reader.container

    @property
    def damage(self) -> Damage:
        """The damage found so far."""
        return self._reader.damage

    def resume_after(self, last: FrameFingerprint) -> None:
        """Continue after ``last``, a frame that an earlier decoder of the same file delivered."""
        self._frames.close()
        self._resumed = True
        self._frames = self._frames_after(last)

    def _describe(self) -> SourceVideo:
        stream, video = self._reader.stream, self.first.video
        context = stream.codec_context
        stated, start = timecode(self._reader.container, stream), self.timeline.span.start
        first = (
            timecode_at(start, stated, self._reader.rate) if stated else self._timecodes.at(self._first_time)
        )
        presentation = read_presentation(stream, video)
        assert stream.time_base is not None  # FFmpeg's demuxers give every stream one
        return SourceVideo(
            path=self.path,
            stream_index=stream.index,
            timeline=self.timeline,
            duration=length_of(self._reader.container, self.path, stream),
            frames=stream.frames or None,
            codec=context.codec.canonical_name,
            width=video.width,
            height=video.height,
            upright_size=self.first.upright_size,
            pix_fmt=video.format.name,
            decoded_format=self._reader.decoded_format,
            rate=self._reader.rate,
            time_base=stream.time_base,
            sample_aspect_ratio=self._reader.aspects.of(video),
            upright_aspect=self.first.upright_aspect,
            field_order=_PROGRESSIVE if self.deinterlaces else self.scan.order,
            interlaced=self.scan.flagged and not self.deinterlaces,
            colour=self.first.colour,
            tags=self._reader.tags.of(video),
            turns=self.first.turns,
            mirrored=self.first.mirrored,
            display_matrix=display_matrix(video),
            hdr=HdrMetadata.of(video),
            presentation=presentation,
            timecode=first,
            side_data=self.first.side_data
            | ({SPHERICAL} if presentation.projection else set())
            | ({SECOND_LAYER} if presentation.second_layer else set())
            | self._timecodes.lost(video, first, self._first_time),
        )

    def _span_frames(
        self, frames: Iterator[av.VideoFrame] | None = None, *, index: int = 0
    ) -> Generator[Frame, None, None]:
        """The frames of the span with their context. ``frames``, if given, begin with number ``index``."""
        timeline, resumed = self.timeline, frames is not None
        if frames is None:
            frames = self._frames_from_start()
        after = 0  #: frames delivered from after the span
        before: deque[av.VideoFrame] = deque(maxlen=self.context)
        for video in frames:
            self._timecodes.follow(video)
            time = presentation_time(video)
            if timeline.span.start and time < timeline.start:
                before.append(video)
                continue
            ended = timeline.end is not None and time >= timeline.end
            if ended and (after == self.context or not index):
                break
            while before:
                yield self._frame(-len(before), before.popleft(), context=True)
            yield self._frame(index + after, video, context=ended)
            if ended:
                after += 1
            else:
                index += 1
        if index == 0:
            raise InputError(self._no_frames())
        if timeline.span.whole and resumed:
            if self._reader.ends_early():
                self.damage.ended = f"the file ends early: only {index} frames could be read"
        elif timeline.span.whole and (expected := self._reader.expected_packets()) > self._reader.packets:
            self.damage.ended = f"the file ends early: {index} of {expected} frames could be read"
        if self.damage:
            self._reader.refuse_if_strict()
            log.warning("%s is damaged: %s", self.path.name, self.damage)

    def _frames_from_start(self) -> Iterator[av.VideoFrame]:
        """Frames that include those of the span and of the context before it."""
        span = self.timeline.span
        if not span.start:
            return self._deinterlace(self._reader.frames())
        # The deinterlacer needs a frame before the first one.
        margin = 2 * (self.context + self.deinterlaces) / self._reader.rate
        time = max(self.timeline.begin, self.timeline.start - margin)
        # In some containers a seek leads to a place where nothing can be decoded until after ``time``.
        for lead in _SEEK_LEADS if clock_is_steady(self.path, self._reader.stream) else ():
            if time - lead < self.timeline.begin:
                break
            try:
                with self._reader.ignoring_damage():
                    frames = self._deinterlace(self._reader.seek(time - lead))
                    first = next(frames, None)
            except av.error.FFmpegError:
                break
            if first is not None and presentation_time(first) <= time:
                return chain((first,), frames)
        self._reader.reopen()
        return self._deinterlace(self._reader.frames())

    def _frames_after(self, last: FrameFingerprint) -> Generator[Frame, None, None]:
        frames = self._seek_past(last)
        if frames is not None:
            yield from self._span_frames(frames, index=last.index + 1)
            return
        # Decoding from the beginning takes longer, but always works.
        self._reader.reopen()
        yield from (frame for frame in self._span_frames() if frame.index > last.index)

    def _seek_past(self, last: FrameFingerprint) -> Iterator[av.VideoFrame] | None:
        """The frames after ``last``; None if seeking does not lead to that very frame."""
        assert self._reader.stream.time_base is not None
        place = last.pts * self._reader.stream.time_base
        try:
            with self._reader.ignoring_damage():
                frames = self._deinterlace(self._reader.seek(max(self.timeline.begin, place - _RESUME_LEAD)))
                found = next((video for video in frames if presentation_time(video) >= place), None)
        except av.error.FFmpegError:
            return None
        return frames if found is not None and FrameFingerprint.of(last.index, found) == last else None

    def _deinterlace(self, frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        return Deinterlacer(self.scan, every=self._every)(frames) if self.deinterlaces else frames

    def _frame(self, index: int, video: av.VideoFrame, *, context: bool) -> Frame:
        side_data, mirrored = carried(video), is_mirrored(display_matrix(video))
        colour, ratio = self._reader.colour(video), self._reader.aspects.of(video)
        if self._source is not None:
            side_data |= self._source.changes(video, self._reader.tags.of(video), colour, ratio)
            side_data |= self._timecodes.lost(video, self._source.timecode, self._first_time)
            leave_stereo_to_container(video)
        return Frame(
            index,
            video,
            colour,
            context,
            side_data,
            aspect=pixel_aspect(ratio),
            mirrored=mirrored,
        )

    def _no_frames(self) -> str:
        if self.timeline.span.whole:
            return f"no frame of {self.path} could be decoded; the file is damaged or cut short"
        return f"{self.path} has no frame in the selected part; check -ss, -t and -to"
