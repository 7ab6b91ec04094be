"""Writing OUT: the restored frames encoded beside everything else of IN.

OUT is written beside its place under a hidden name and renamed when it is whole.
"""

from __future__ import annotations

import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.packet import Packet
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from ..errors import UsageError
from .copy import StreamCopier, kept_metadata
from .decode import Decoder, Frame
from .encode import EncoderSettings, choose_encoder
from .output import MUXERS, partial_path, place, writing
from .probe import USUAL_RATE, frame_rate
from .pyav import KEEP_METADATA

#: How far, in seconds, copied packets may lie before the video's: about what players read at once.
_LEAD = Fraction(1, 2)
#: The index of an MP4 goes to its front, for players that stream. Matroska would move all timestamps
#: where one is negative, as that of an audio encoder's first packet is; every frame must keep its own.
_MUXER_OPTIONS = {
    "mp4": {"movflags": "+faststart"},
    "mov": {"movflags": "+faststart"},
    "matroska": {"avoid_negative_ts": "disabled"},
    "webm": {"avoid_negative_ts": "disabled"},
}


class Writer:
    """Encodes frames into OUT and copies the rest of IN to it. A context manager: leaving it without
    an error finishes the file and puts it in place, leaving it with one removes what was written."""

    def __init__(self, out: Path, decoder: Decoder, settings: EncoderSettings) -> None:
        """Open everything that can fail before the first frame. Raises OutputError or UsageError."""
        self.frames = 0
        self._out = out
        self._partial = partial_path(out)
        self._given = decoder.stream
        self._first = decoder.first
        self._timeline = decoder.timeline
        muxer = MUXERS[out.suffix.lower()]
        self.encoder = choose_encoder(decoder.stream, muxer, settings)
        self._reformatter = VideoReformatter()
        self._copier = StreamCopier(decoder.path, decoder.timeline)
        try:
            with writing(out):
                self._container: OutputContainer = av.open(
                    str(self._partial.absolute()),
                    "w",
                    format=muxer,
                    options=_MUXER_OPTIONS[muxer],
                    **KEEP_METADATA,
                )
        except BaseException:
            self._copier.close()
            raise
        try:
            self._video = self._add_streams()
            self._start()
        except BaseException:
            self._abandon()
            raise

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            self._finish()
        except BaseException:
            self._abandon()
            raise

    def write(self, frame: Frame) -> None:
        """Encode the next frame. Raises OutputError where OUT can take no more."""
        given, video = self._given.codec_context, frame.video
        if (video.format.name, video.width, video.height) != (
            self.encoder.pix_fmt,
            given.width,
            given.height,
        ):
            # The range stays as it is: only packing, subsampling or depth change.
            pts, time_base = video.pts, video.time_base
            video = self._reformatter.reformat(
                video,
                given.width,
                given.height,
                self.encoder.pix_fmt,
                src_color_range=video.color_range,
                dst_color_range=video.color_range,
            )
            video.pts, video.time_base = pts, time_base
        video.pts -= self._timeline.shift(video.time_base)
        # What kind of picture each becomes is the encoder's choice; the decoder's must not bind it.
        video.pict_type = 0
        with writing(self._out):
            self._mux(self._video.encode(video))
        self.frames += 1

    def _add_streams(self) -> VideoStream:
        """All of the input's streams, in its order."""
        source, main = self._copier.source, self._given.index
        for stream in source.streams:
            if stream.index == main:
                video = self._add_video(stream)
            else:
                self._copier.add(stream, self._container, self._out.name)
        self._container.metadata.update(kept_metadata(source.metadata))
        if chapters := self._copier.chapters():
            self._container.set_chapters(chapters)
        return video

    def _add_video(self, source: VideoStream) -> VideoStream:
        given = self._given.codec_context
        rate = frame_rate(source) or USUAL_RATE
        stream = self._container.add_stream(self.encoder.codec, rate=rate, options=dict(self.encoder.options))
        context = stream.codec_context
        stream.width, stream.height, stream.pix_fmt = given.width, given.height, self.encoder.pix_fmt
        stream.time_base = context.time_base = source.time_base
        if aspect := source.sample_aspect_ratio:
            context.sample_aspect_ratio = aspect
        for tag in ("color_range", "colorspace", "color_primaries", "color_trc"):
            setattr(context, tag, getattr(given, tag))
        context.flags |= Flags.frame_duration
        if matrix := self._first.video.side_data.get("DISPLAYMATRIX"):
            stream.set_display_matrix(struct.unpack("=9i", bytes(matrix)))
        stream.metadata.update(kept_metadata(source.metadata, encoded=True))
        stream.disposition = source.disposition
        return stream

    def _start(self) -> None:
        """Open the encoder and write the header, so that what they refuse is known before any work."""
        try:
            self._video.codec_context.open()
        except av.error.FFmpegError as error:
            context = self._given.codec_context
            raise UsageError(
                f"{self.encoder} refuses {context.width}x{context.height} video ({error.strerror}); "
                "change --preset, --crf, --pix-fmt or -c:v"
            ) from None
        with writing(self._out):
            self._container.start_encoding()

    def _mux(self, packets: list[Packet]) -> None:
        for packet in packets:
            if packet.dts is not None:
                for copied in self._copier.until(packet.dts * packet.time_base + _LEAD):
                    self._container.mux(copied)
            self._container.mux(packet)

    def _finish(self) -> None:
        with writing(self._out):
            self._mux(self._video.encode(None))
            for copied in self._copier.until(None):
                self._container.mux(copied)
            self._container.close()
            place(self._partial, self._out)
        self._copier.close()

    def _abandon(self) -> None:
        self._copier.close()
        with suppress(OSError, av.error.FFmpegError):  # it is removed anyway
            self._container.close()
        self._partial.unlink(missing_ok=True)
