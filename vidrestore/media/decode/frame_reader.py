"""From the packets of a video stream to planar frames of one size with increasing timestamps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import cast

import av
import av.error
from av.codec.context import Flags
from av.packet import Packet
from av.stream import Discard
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from ...errors import InputError
from ..clock import Clock, has_clock
from ..frames.colour import Colour
from ..frames.frame import presentation_time
from ..frames.pixel_format import planar_equivalent
from ..image_sequence import image_numbers, is_sequence
from ..probe import DEFAULT_RATE, frame_rate, main_video, open_input, refuse_encrypted
from .colour_tags import StreamTags
from .damage import Damage
from .pixel_aspect import PixelAspects
from .riff import is_cut_short
from .timestamps import Timestamps

#: Decoders that support alpha, by codec. VP8 and VP9 store alpha as a video of its own beside each packet,
#: which FFmpeg's native decoders ignore.
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


#: FFmpeg's flag of formats that are nothing but the frames of one codec (AVFMT_NOTIMESTAMPS).
_NO_TIMESTAMPS = 0x80


class FrameReader:
    """Reads the frames of one video stream, from its beginning or from a seek point, and counts damage.

    Timestamps increase strictly. All frames have the size and format of the first one, which is planar.
    """

    def __init__(
        self,
        path: Path,
        video_stream: int | None = None,
        *,
        from_start: bool = True,
        rate: Fraction | None = None,
        strict: bool = False,
    ) -> None:
        """Open the file. Raises InputError; UsageError for a ``video_stream`` that does not exist.

        ``from_start`` means that the stream's first frame is read. Only then are frames shown that were
        decoded in part, and only then does the first frame set the size and format of all; otherwise the
        header does, so that a part has those of the whole. ``rate`` is the frame rate of numbered images.
        With ``strict`` the first damage is an InputError.
        """
        self.path = path
        self.damage = Damage()
        self.packets = 0  #: how many packets of the video were read
        self.last: int | None = None  #: the latest decoding timestamp that was read
        self._video_stream = video_stream
        self._from_start = from_start
        self._given_rate = rate
        self._strict = strict
        self._reformatter = VideoReformatter()
        self._open()

    def _open(self) -> None:
        self.container = open_input(self.path, rate=self._given_rate)
        try:
            self._open_decoder()
        except BaseException:
            self.container.close()
            raise

    def _open_decoder(self) -> None:
        self.stream = self._select_stream()
        #: Average frames per second; DEFAULT_RATE if unknown.
        self.rate = frame_rate(self.path, self.stream) or DEFAULT_RATE
        self.packets, self.last = 0, None
        context = self.stream.codec_context
        assert context.pix_fmt is not None  # main_video selects only streams that have one
        self.tags = StreamTags(context)
        #: Pixel format of the decoder, before it is repacked.
        self.decoded_format = context.pix_fmt
        #: Width, height and pixel format of every frame.
        self._shape = (context.width, context.height, planar_equivalent(context.pix_fmt).name)
        self._shape_is_final = not self._from_start
        if self._from_start:
            # Show the intact part of a damaged frame, as players do.
            context.flags |= Flags.output_corrupt
        self._decoder = context
        codec = context.codec.canonical_name
        # Matroska's muxer also writes it as a tag, whose key it puts in capitals.
        modes = {self.stream.metadata.get(key) for key in ("alpha_mode", "ALPHA_MODE")}
        if codec in _ALPHA_DECODERS and "1" in modes:
            self._decoder = cast(VideoCodecContext, av.CodecContext.create(_ALPHA_DECODERS[codec], "r"))
            self._shape = (context.width, context.height, "yuva420p")
        self.aspects = PixelAspects(self.stream, self._decoder)

    def _select_stream(self) -> VideoStream:
        main = main_video(self.container, self.path, self._video_stream)
        main.thread_type = "AUTO"
        for other in self.container.streams:
            if other.index != main.index and not (has_clock(self.container) and other.type == "audio"):
                other.discard = Discard.all
        return main

    def close(self) -> None:
        """Close the file."""
        self.container.close()

    def reopen(self) -> None:
        """Go back to the beginning, which is possible even where seeking is not."""
        self.close()
        self._open()

    def seek(self, time: Fraction) -> Iterator[av.VideoFrame]:
        """The frames from a seek point at or before ``time`` (seconds) on, if the container finds one: some
        lead to a place where nothing can be decoded, or after ``time``. Raises FFmpegError."""
        self.container.seek(int(time * av.time_base))
        self._decoder.flush_buffers()
        return self.frames()

    @contextmanager
    def ignoring_damage(self) -> Iterator[None]:
        """Do not count damage within this context: frames cut off at a seek point are not damaged."""
        strict, self._strict = self._strict, False
        try:
            yield
        finally:
            self._strict = strict
            self.damage = Damage()

    def frames(self) -> Iterator[av.VideoFrame]:
        """The frames from the current place on. Raises InputError for damage with ``strict``."""
        # AVI stores no presentation timestamps, only the order of decoding.
        timestamps = Timestamps(
            self.rate,
            decoding=self.container.format.name == "avi",
            has_times=not self.container.format.flags & _NO_TIMESTAMPS,
        )
        clock = Clock(self.container, self.stream.index) if has_clock(self.container) else None
        repaired = 0
        for frame in timestamps(self._decode(clock)):
            if timestamps.repaired > repaired:
                self.damage.repaired += 1
            elif clock and clock.moved_from is not None:
                self.damage.repaired += presentation_time(frame) >= clock.moved_from
            repaired = timestamps.repaired
            frame = self._to_common_format(frame)
            if self.damage:
                self.refuse_if_strict()
            yield frame

    def refuse_if_strict(self) -> None:
        """Raise InputError, if ``strict``, for the damage so far."""
        if self._strict:
            raise InputError(
                f"{self.path} is damaged: {self.damage}; leave out --strict to restore what can be read"
            )

    def colour(self, video: av.VideoFrame) -> Colour:
        """How the samples of a frame of this stream are converted to R'G'B'."""
        return self.tags.colour(video)

    def expected_packets(self) -> int:
        """How many packets of video the file claims to have; 0 if it does not say."""
        if is_sequence(self.path):
            return len(image_numbers(self.path))
        if "mov" in self.container.format.name:
            # The index holds no packets that an edit list leaves out, although the header counts them.
            return len(self.stream.index_entries)
        if self.container.format.name == "avi" and not is_cut_short(self.path):
            # The header counts dropped frames too, which are chunks of 0 bytes.
            return sum(entry.size > 0 for entry in self.stream.index_entries)
        # An AVI's header may count an empty packet at the end as a frame.
        return max(0, self.stream.frames - 1)

    def ends_early(self) -> bool:
        """Whether packets that the file's index lists after the last one read were not there; False if there
        is no such index. For a reader that did not begin at the first frame, and so cannot count them."""
        if self.last is None or "mov" not in self.container.format.name:
            return False
        entries = self.stream.index_entries
        return len(entries) > 0 and self.last < entries[-1].timestamp

    def _decode(self, clock: Clock | None) -> Iterator[av.VideoFrame]:
        packets = self._demux()
        if clock is not None:
            packets = (p for p in clock(packets) if p.stream_index == self.stream.index)
        # A recording begins between two key frames: what leans on earlier frames is no damage.
        begins_anywhere, whole = clock is not None, False
        for packet in chain(packets, (None,)):
            if packet is not None:
                self.packets += 1
                if packet.dts is not None:
                    self.last = packet.dts if self.last is None else max(self.last, packet.dts)
                refuse_encrypted(packet, self.path)
            try:
                for frame in self._decoder.decode(packet):
                    if frame.is_corrupt and begins_anywhere and not whole:
                        continue
                    whole = True
                    self.damage.concealed += frame.is_corrupt
                    frame.time_base = self.stream.time_base
                    self.aspects.follow(frame)
                    yield frame
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self.damage.packets += 1

    def _demux(self) -> Iterator[Packet]:
        """The packets of all streams that are not discarded."""
        packets = self.container.demux([s for s in self.container.streams if s.discard != Discard.all])
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except IndexError:
                # PyAV does not know streams that appear only later, and so fails at the end of the file.
                return
            except av.error.FFmpegError as error:
                if isinstance(error, av.error.FileNotFoundError) and is_sequence(self.path):
                    return  # a missing image after the span, which decoding looks ahead to
                # Players lose the rest too; what was read is kept.
                self.damage.ended = f"reading stopped before the end ({error.strerror})"
                return
            if packet.size:
                yield packet

    def _to_common_format(self, video: av.VideoFrame) -> av.VideoFrame:
        """Convert a frame to the format and size of all frames."""
        planar = planar_equivalent(video.format.name).name
        if not self._shape_is_final:
            self._shape, self._shape_is_final = (video.width, video.height, planar), True
            self.decoded_format = video.format.name
        if (video.width, video.height, planar) != self._shape:
            self.damage.resized += 1
        elif planar == video.format.name:
            return video
        width, height, name = self._shape
        # The scaler refuses some matrices that a frame may be tagged with.
        matrix = self.tags.colour(video).swscale_matrix
        return self._reformatter.reformat(
            video, width, height, name, src_colorspace=matrix, dst_colorspace=matrix
        )
