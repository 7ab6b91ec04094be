"""A streaming decoder: frames in their own planes, each with the timestamp it came with."""

from __future__ import annotations

import logging
import struct
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.codec.context import Flags
from av.stream import Discard
from av.video.reformatter import VideoReformatter

from ...errors import InputError
from ..frames.colour import Colour, ColourTags
from ..frames.frame import Frame
from ..frames.hdr_metadata import HdrMetadata, dynamic_hdr
from ..frames.pixel_format import planar_twin
from ..image_sequence import is_sequence, numbers
from ..probe import USUAL_RATE, frame_rate, main_video, open_input, refuse_encrypted
from ..source_video import SourceVideo
from ..timeline import Span, Timeline
from .damage import Damage
from .deinterlace import Deinterlacer, Scan, find_scan
from .fingerprint import FrameFingerprint
from .timestamps import Timestamps

log = logging.getLogger(__name__)

#: Codecs whose chroma lies in the middle of its luma samples where nothing says so.
_CENTRED = {"mjpeg", "mpeg1video", "jpeg2000", "webp"}
_CENTRE = 2  # AVCHROMA_LOC_CENTER
_PROGRESSIVE = 1  # AV_FIELD_PROGRESSIVE
#: Seconds before a mark from which frames are decoded: what they are predicted from lies there.
_RUN_UP = Fraction(2)
#: Seconds before a place from where it is looked for, one after another.
_LEADS = (0, 2, 12, 60)
_LIBVPX = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


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
        """Open the file and decode its first frame. Raises InputError, UsageError for a ``video_stream``
        (by default the main one) that is none.

        ``context`` is how many frames beyond each end of the span come as well, where there are any.
        ``deinterlace`` is one of ``deinterlace.CHOICES``. With ``strict`` the first damage is an InputError.
        ``rate`` is that of numbered pictures, frames per second.
        """
        self.path = path
        self.damage = Damage()
        self._context = context
        self._video_stream = video_stream
        self._given_rate = rate
        self._skipped = False
        self.strict = strict
        self._container = open_input(path, rate=rate)
        try:
            self._open(span or Span(), video_stream)
            #: How the video was scanned; not looked for where nothing depends on it.
            self.scan = find_scan(path, video_stream) if deinterlace != "off" else self._flagged()
            self.deinterlaces = deinterlace == "bwdif" or (deinterlace == "auto" and self.scan.interlaced)
            self._every = deinterlace == "bwdif"
            self._frames = self._wanted()
            self.first = next(self._frames)
            self.source = self._describe(self.first)
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
        context = self.stream.codec_context
        #: Width, height and planar pixel format of every frame.
        self._shape = (context.width, context.height, planar_twin(context.pix_fmt))
        if not span.start:
            # As players do, show what is left of a frame that is not whole.
            context.flags |= Flags.output_corrupt
        #: VP8's and VP9's alpha is a video of its own beside each packet, which FFmpeg's decoders do not see.
        self._decoder = context
        if context.codec.canonical_name in _LIBVPX and self.stream.metadata.get("alpha_mode") == "1":
            self._decoder = av.CodecContext.create(_LIBVPX[context.codec.canonical_name], "r")
            self._shape = (context.width, context.height, "yuva420p")
        self._rate = frame_rate(self.stream) or USUAL_RATE
        self._reformatter = VideoReformatter()
        self._packets = 0
        self._settled = bool(span.start)  #: a part's shape is the header's, as it must be that of the whole

    def _describe(self, first: Frame) -> SourceVideo:
        stream, video = self.stream, first.video
        context, duration = stream.codec_context, self._container.duration
        matrix = video.side_data.get("DISPLAYMATRIX")
        return SourceVideo(
            path=self.path,
            stream_index=stream.index,
            timeline=self.timeline,
            duration=Fraction(duration, av.time_base) if duration else None,
            codec=context.codec.canonical_name,
            width=video.width,
            height=video.height,
            pix_fmt=video.format.name,
            rate=self._rate,
            time_base=stream.time_base,
            sample_aspect_ratio=stream.sample_aspect_ratio,
            field_order=_PROGRESSIVE if self.deinterlaces else context.field_order,
            interlaced=self.scan.flagged and not self.deinterlaces,
            colour=first.colour,
            tags=ColourTags.of(video),
            display_matrix=struct.unpack("=9i", bytes(matrix)) if matrix else None,
            hdr=HdrMetadata.of(video),
            dynamic_hdr=dynamic_hdr(video),
        )

    def _flagged(self) -> Scan:
        return Scan(flagged=self.stream.codec_context.field_order > 1)

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._frames.close()
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames of the span in presentation order, after that of ``resume_after`` if it was called."""
        return self._frames if self._skipped else chain((self.first,), self._frames)

    def resume_after(self, mark: FrameFingerprint) -> None:
        """Go on behind a frame of this video, that another decoder of it gave."""
        self._frames.close()
        self._skipped = True
        self._frames = self._behind(mark)

    def _behind(self, mark: FrameFingerprint) -> Iterator[Frame]:
        frames = self._sought(mark)
        if frames is not None:
            yield from self._wanted(frames, index=mark.index + 1)
            return
        # From the beginning, then: it takes longer, and can always be done.
        self._reopen()
        yield from (frame for frame in self._wanted() if frame.index > mark.index)

    def _sought(self, mark: FrameFingerprint) -> Iterator[av.VideoFrame] | None:
        """The frames behind ``mark``; None where seeking does not lead to the very same frame."""
        time = mark.pts * self.stream.time_base - _RUN_UP
        strict, self.strict = self.strict, False
        try:
            self._container.seek(int(max(self.timeline.begin, time) * av.time_base))
            self._decoder.flush_buffers()
            frames = self._repaired()
            found = next((video for video in frames if video.pts >= mark.pts), None)
        except av.error.FFmpegError:
            return None
        finally:
            self.strict = strict
            self.damage = Damage()  # what is broken off at the place that was sought is not
        return frames if found is not None and FrameFingerprint.of(mark.index, found) == mark else None

    def _wanted(self, frames: Iterator[av.VideoFrame] | None = None, *, index: int = 0) -> Iterator[Frame]:
        """The frames of the span and around it; those of ``frames`` begin with the wanted one ``index``."""
        timeline, sought = self.timeline, frames is not None
        if timeline.span.start and not sought:
            # A frame's deinterlaced neighbours are those before and after it.
            margin = 2 * (self._context + self.deinterlaces) / self._rate
            frames = self._from(max(timeline.begin, timeline.start - margin))
        beyond = 0
        before: deque[av.VideoFrame] = deque(maxlen=self._context)
        for video in frames or self._repaired():
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
        expected = self._expected()
        if timeline.span.whole and not sought and expected > self._packets:
            self.damage.ended = f"the file ends early: {index} of {expected} frames could be read"
        if self.damage:
            self._refuse_if_strict()
            log.warning("%s is damaged: %s", self.path.name, self.damage)

    def _from(self, time: Fraction) -> Iterator[av.VideoFrame]:
        """Frames from one at or before ``time`` on."""
        # Some containers lead to where nothing can be decoded yet, up to a key frame behind the place.
        for lead in _LEADS:
            if time - lead < self.timeline.begin:
                break
            strict, self.strict = self.strict, False
            try:
                self._container.seek(int((time - lead) * av.time_base))
                self._decoder.flush_buffers()
                frames = self._repaired()
                first = next(frames, None)
            except av.error.FFmpegError:
                break
            finally:
                self.strict = strict
                self.damage = Damage()  # what is broken off at the place that was sought is not
            if first is not None and first.pts * first.time_base <= time:
                return chain((first,), frames)
        self._reopen()
        return self._repaired()

    def _reopen(self) -> None:
        """Begin at the beginning."""
        self._container.close()
        self._container = open_input(self.path, rate=self._given_rate)
        self._open(self.timeline.span, self._video_stream)

    def _repaired(self) -> Iterator[av.VideoFrame]:
        """All frames, planar, of one size, their times increasing, whole rather than interlaced."""
        # AVI has no times of presentation, only the order of decoding.
        timestamps = Timestamps(self._rate, decoding=self._container.format.name == "avi")
        frames = map(self._planar, timestamps(self._decoded()))
        if self.deinterlaces:
            frames = Deinterlacer(self.scan, every=self._every)(frames)
        for frame in frames:
            self.damage.repaired = timestamps.repaired
            if self.damage:
                self._refuse_if_strict()
            yield frame

    def _decoded(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self.stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except IndexError:
                packet = None  # the end, where streams turned up on the way that PyAV does not know of
            except av.error.FFmpegError as error:
                # What is behind is lost, as it is to a player; what was read is not.
                self.damage.ended = f"reading stopped before the end ({error.strerror})"
                packet = None
            if packet is not None and packet.size:
                self._packets += 1
                refuse_encrypted(packet, self.path)
            try:
                for frame in self._decoder.decode(packet if packet is not None and packet.size else None):
                    self.damage.concealed += frame.is_corrupt
                    frame.time_base = self.stream.time_base
                    yield frame
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.damage.packets += 1
            if packet is None:
                return

    def _refuse_if_strict(self) -> None:
        if self.strict:
            raise InputError(
                f"{self.path} is damaged: {self.damage}; without --strict what can be read is restored"
            )

    def _expected(self) -> int:
        """How many packets of video the file says that it has; 0 where it does not."""
        # AVI counts an empty packet at its end as a frame. What an edit list leaves out is no longer in
        # QuickTime's index, though it is counted.
        if is_sequence(self.path):
            return len(numbers(self.path))
        if "mov" in self._container.format.name:
            return len(self.stream.index_entries)
        return max(0, self.stream.frames - 1)

    def _frame(self, index: int, video: av.VideoFrame, *, context: bool) -> Frame:
        return Frame(index, video, self._colour(video), context)

    def _planar(self, video: av.VideoFrame) -> av.VideoFrame:
        """The frame in the format and size of all."""
        twin = planar_twin(video.format.name)
        if not self._settled:
            self._shape, self._settled = (video.width, video.height, twin), True
        if (video.width, video.height, twin) != self._shape:
            self.damage.resized += 1
        elif twin == video.format.name:
            return video
        width, height, name = self._shape
        return self._reformatter.reformat(video, width, height, name)

    def _colour(self, video: av.VideoFrame) -> Colour:
        given = self.stream.codec_context
        # Older versions of PyAV do not tell.
        location = getattr(video, "chroma_location", 0)
        if not location and given.codec.canonical_name in _CENTRED:
            location = _CENTRE
        return Colour.from_tags(
            video.colorspace,
            video.color_range,
            video.width,
            video.height,
            given.pix_fmt or "",
            transfer=video.color_trc,
            primaries=video.color_primaries,
            chroma_location=location,
        )

    def _nothing_found(self) -> str:
        if self.timeline.span.whole:
            return f"no frame of {self.path} could be decoded; the file is damaged or cut short"
        return f"{self.path} has no frame in the part asked for; check -ss, -t and -to"
