"""A container being written: the restored video's packets, and everything else of IN beside them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ...errors import InputError, OutputError
from ..encode.encoder import VideoEncoder
from ..probe import USUAL_RATE, describe, frame_rate
from ..pyav_compat import KEEP_METADATA
from ..source_video import SourceVideo
from .matroska import write_shapes
from .packet_times import PacketTimes
from .quicktime import write_languages
from .stream_copier import StreamCopier, track_languages
from .stream_plan import Action, add_stream_like
from .tags import QUICKTIME

log = logging.getLogger(__name__)

#: How far, in seconds, copied packets may lie before the video's: about what players read at once.
_LEAD = Fraction(1, 2)
#: Matroska would move all timestamps where one is negative, as that of an audio encoder's first packet is;
#: every frame must keep its own.
_OPTIONS = {
    "matroska": {"avoid_negative_ts": "disabled"},
    "webm": {"avoid_negative_ts": "disabled"},
}
#: The index of an MP4 goes to its front, for players that stream. Where nothing can be written twice, each
#: part has an index of its own.
_INDEX_FIRST = {"movflags": "+faststart"}
_IN_PARTS = {"movflags": "+frag_keyframe+delay_moov+default_base_moof"}
#: Codecs whose packets tell every reader the shape of pixels.
_TELL_SHAPE = ("h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4")


class Muxer:
    """Writes one container. Streams are the input's, in their order; the first video is the encoder's."""

    def __init__(
        self,
        name: str,
        muxer: str,
        source: SourceVideo,
        encoder: VideoEncoder,
        *,
        called: str,
        seekable: bool,
        strict: bool = False,
    ) -> None:
        """Open ``name``, a path or an FFmpeg URL, and write the header.

        ``called`` is its name in messages. Raises FFmpegError where it cannot be written, InputError where
        the input is gone, with ``strict`` OutputError for what it cannot hold.
        """
        self._copier = StreamCopier(
            source.path, source.timeline, muxer=muxer, main=source.stream_index, called=called
        )
        self._seekable, self._called = seekable, called
        self._source, self._strict = source, strict
        # Of the pixels of a Matroska file's video tracks: all, and those that only its header tells.
        self._shapes: list[Fraction | None] = []
        self._header_only: list[Fraction] = []
        self._times: defaultdict[int, PacketTimes] = defaultdict(PacketTimes)
        self._lost = 0
        try:
            options = _OPTIONS.get(muxer, {})
            if muxer in QUICKTIME:
                options = dict(_INDEX_FIRST if seekable else _IN_PARTS)
                options["movflags"] += self._copier.movflags()
            self._container: OutputContainer = av.open(
                name, "w", format=muxer, options=options, **KEEP_METADATA
            )
            self._video = self._add_streams(encoder)
            if muxer in _OPTIONS:
                self._note_shapes(encoder)
                if not seekable:
                    self._lose_shapes()
            self._container.start_encoding()
        except BaseException:
            self.abandon()
            raise

    def mux(self, packets: Iterable[Packet]) -> None:
        """Write the video's next packets, in the order of their dts, and what belongs beside them."""
        for packet in packets:
            if packet.dts is not None:
                for copied in self._copier.until(packet.dts * packet.time_base + _LEAD):
                    self._copy(copied)
            packet.stream = self._video
            self._container.mux(packet)

    def finish(self) -> None:
        """Write what is left of the other streams, and the trailer."""
        for copied in self._copier.until(None):
            self._copy(copied)
        if self._lost:
            lost = f"{self._lost} packets beside the video could not be kept"
            if self._strict:
                raise InputError(f"{self._source.path} is damaged: {lost}; without --strict the rest is")
            log.warning("%s is damaged: %s", self._source.path.name, lost)
        tracks = track_languages(self._container, self._copier.carried | {self._video.index})
        name, muxer = self._container.name, self._container.format.name
        self._container.close()
        if muxer == "mov" and self._seekable:
            write_languages(Path(name), tracks)
        if self._seekable and any(self._shapes) and not write_shapes(Path(name), self._shapes):
            self._lose_shapes()
        self._copier.close()

    def _copy(self, packet: Packet) -> None:
        """Write a packet of another stream; one that is damaged is counted, and no reason to give up."""
        times = self._times[packet.stream_index]
        times.shift(packet)
        try:
            try:
                self._container.mux(packet)
            except av.error.ArgumentError:
                times.repair(packet)
                self._container.mux(packet)
        except (av.error.ArgumentError, av.error.InvalidDataError):
            self._lost += 1
            return
        times.record(packet)

    def abandon(self) -> None:
        """Close what is open; the file is of no use."""
        self._copier.close()
        if hasattr(self, "_container"):
            with suppress(OSError, av.error.FFmpegError):
                self._container.close()

    def _add_streams(self, encoder: VideoEncoder) -> VideoStream:
        for stream in self._copier.source.streams:
            if stream.index == self._source.stream_index:
                video = self._add_video(stream, encoder)
            else:
                self._copier.add(stream, self._container)
        self._container.metadata.update(self._copier.metadata())
        if chapters := self._copier.chapters():
            self._container.set_chapters(chapters)
        return video

    def _note_shapes(self, encoder: VideoEncoder) -> None:
        for stream in self._copier.source.streams.video:
            if stream.index == self._source.stream_index:
                codec = encoder.stream.codec_context.codec.canonical_name
            elif self._copier.plans[stream.index].action is Action.COPIED:
                codec = describe(stream).codec
            else:
                continue
            shape = stream.sample_aspect_ratio
            self._shapes.append(shape if shape != 1 else None)
            if shape not in (None, 1) and codec not in _TELL_SHAPE:
                self._header_only.append(shape)

    def _lose_shapes(self) -> None:
        """Say which shapes of pixels OUT does not tell, or raise OutputError where nothing must be lost."""
        if not self._header_only:
            return
        shapes = ", ".join(f"{shape.numerator}:{shape.denominator}" for shape in self._header_only)
        loss = f"{self._called} cannot tell that its pixels have the shape {shapes}; .mp4 and .mov can"
        if self._strict:
            raise OutputError(f"--strict: {loss}")
        log.warning("%s", loss)

    def _add_video(self, source: VideoStream, encoder: VideoEncoder) -> VideoStream:
        # Not the encoder's own stream, so that several encoders, one after another, can fill it.
        stream = add_stream_like(encoder.stream, self._container, rate=frame_rate(source) or USUAL_RATE)
        stream.metadata.update(self._copier.main_metadata())
        stream.disposition = source.disposition
        return stream
