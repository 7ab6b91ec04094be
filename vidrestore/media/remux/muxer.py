"""Writes OUT's container: the restored video's packets along with everything else of IN."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import av.error
from av.container import OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ...errors import InputError, LossError, OutputError
from ..containers import MOV, Container
from ..encode.encoder import VideoEncoder
from ..probe import describe
from ..pyav_compat import KEEP_METADATA
from ..source_video import SourceVideo
from .finalizers import AspectRatios, Finalizer, TrackLanguages
from .packet_times import PacketTimes
from .quicktime import add_sample_boxes, disable_tracks, hide_apple_stereo
from .stream_copier import StreamCopier
from .stream_plan import Action, add_stream_like

log = logging.getLogger(__name__)

#: How many seconds copied packets may lie before the video's: about what players read ahead.
_LEAD = Fraction(1, 2)
#: Ticks per second of a clock on which sound begins where it should.
_FINE = 90_000


class Muxer:
    """Writes one container. Its streams are the input's, in their order; the restored video's packets come
    from an encoder."""

    def __init__(
        self,
        name: str,
        container: Container,
        source: SourceVideo,
        encoder: VideoEncoder,
        *,
        display_name: str,
        seekable: bool,
        strict: bool = False,
    ) -> None:
        """Open the output and write its header.

        Args:
            name: A path or an FFmpeg URL.
            container: What to write.
            source: The restored video. The rest is copied from its file.
            encoder: The encoder of the first packets, already open.
            display_name: The output's name in messages.
            seekable: ``name`` is a file, which can be patched at the end.
            strict: Raise for whatever the output cannot hold, instead of a warning.

        Raises:
            FFmpegError: The output cannot be written.
            InputError: The input cannot be read.
            OutputError: The output cannot hold something, and ``strict`` was set.
        """
        self._copier = StreamCopier(source, container, display_name=display_name)
        self._container, self._source = container, source
        self._display_name, self._seekable, self._strict = display_name, seekable, strict
        self._times: dict[int, PacketTimes] = {}
        self._lost = 0  #: copied packets that the output did not accept
        self._opened: OutputContainer | None = None
        try:
            options = dict(container.muxer_options if seekable else container.stream_options)
            if flags := self._copier.movflags():
                options["movflags"] += flags
            if container.is_quicktime:
                # The clock of edit lists, which hold the time of each stream's beginning, and of chapters.
                video = source.time_base.denominator
                options["movie_timescale"] = str(video * math.ceil(_FINE / video))
            self._output = self._opened = av.open(
                name, "w", format=container.name, options=options, **KEEP_METADATA
            )
            self._video = self._add_streams(encoder)
            self._aspect_ratios = self._find_aspect_ratios(encoder)
            if not seekable:
                self._aspect_ratios.skip()
                if source.presentation.boxes(container):
                    self._report_loss(
                        f"{display_name} cannot hold the input's {source.presentation}; a file can"
                    )
            self._output.start_encoding()
        except BaseException:
            self.abandon()
            raise

    def mux(self, packets: Iterable[Packet]) -> None:
        """Write the video's next packets, in the order of their dts, and the copied packets up to them."""
        for packet in packets:
            if packet.dts is not None:
                for copied in self._copier.packets_until(packet.dts * packet.time_base + _LEAD):
                    self._copy(copied)
            packet.stream = self._video
            self._output.mux(packet)

    def finish(self) -> None:
        """Write the rest of the other streams and the trailer, and patch the file.

        Raises, if ``strict`` was set, InputError for packets that the output does not accept, and LossError
        for what it cannot hold of them.
        """
        for copied in self._copier.packets_until(None):
            self._copy(copied)
        if count := self._lost + self._copier.damaged:
            lost = f"{count} packets of other streams could not be kept"
            if self._strict:
                raise InputError(f"{self._source.path} is damaged: {lost}; without --strict the rest is kept")
            log.warning("%s is damaged: %s", self._source.path.name, lost)
        if moved := self._copier.sound_times.moved:
            count = "1 packet" if moved == 1 else f"{moved} packets"
            wrong = f"the time of {count} of sound was wrong"
            if self._strict:
                raise InputError(f"{self._source.path} is damaged: {wrong}; without --strict it is mended")
            log.warning("%s is damaged: %s, and is mended", self._source.path.name, wrong)
        for loss in self._copier.late_losses():
            if self._strict:
                raise LossError(f"--strict: {loss}")
            log.warning("%s", loss)
        finalizers = self._finalizers()
        self._output.close()
        for finalize in finalizers:
            finalize(Path(self._output.name))
        self._copier.close()

    def abandon(self) -> None:
        """Close what is open; the file is incomplete."""
        self._copier.close()
        if self._opened is not None:
            with suppress(OSError, av.error.FFmpegError):
                self._opened.close()

    def _finalizers(self) -> list[Finalizer]:
        """The patches that the file needs once it is closed."""
        if not self._seekable:
            return []
        finalizers: list[Finalizer] = []
        if self._container is MOV:  # FFmpeg writes the languages of an MP4 correctly
            finalizers.append(TrackLanguages(self._copier.track_languages(self._output, self._video.index)))
        if self._container.is_quicktime:
            hidden = self._copier.hidden_subtitles(self._output, self._video.index)
            finalizers.append(partial(disable_tracks, disabled=hidden))
        boxes = self._copier.sample_boxes() | {
            self._video.index: self._source.presentation.boxes(self._container)
        }
        if self._container.is_quicktime:
            finalizers.append(hide_apple_stereo)
        for number, index in enumerate(sorted(self._copier.written | {self._video.index})):
            if boxes.get(index):
                finalizers.append(partial(add_sample_boxes, number=number, boxes=boxes[index]))
        finalizers.append(self._aspect_ratios)
        return finalizers

    def _copy(self, packet: Packet) -> None:
        """Write a packet of another stream. A damaged packet is dropped and counted."""
        index = packet.stream_index
        if index not in self._times:
            self._times[index] = PacketTimes(is_audio=packet.stream.type == "audio")
        times = self._times[index]
        times.shift(packet)
        try:
            try:
                self._output.mux(packet)
            except av.error.ArgumentError:
                times.repair(packet)
                self._output.mux(packet)
        except (av.error.ArgumentError, av.error.InvalidDataError):
            self._lost += 1
            return
        times.record(packet)

    def _add_streams(self, encoder: VideoEncoder) -> VideoStream:
        video = None
        for stream in self._copier.source.streams:
            if stream.index != self._source.stream_index:
                self._copier.add(stream, self._output)
            elif isinstance(stream, VideoStream):
                video = self._add_video(stream, encoder)
        assert video is not None, "the restored stream is a video"
        self._output.metadata.update(self._copier.metadata())
        if chapters := self._copier.chapters():
            self._output.set_chapters(chapters)
        return video

    def _add_video(self, source: VideoStream, encoder: VideoEncoder) -> VideoStream:
        # Not the encoder's own stream, so that several encoders can fill it one after another.
        stream = add_stream_like(encoder.stream, self._output, rate=self._source.rate)
        stream.metadata.update(self._copier.main_metadata())
        stream.disposition = source.disposition
        return stream

    def _find_aspect_ratios(self, encoder: VideoEncoder) -> AspectRatios:
        """The sample aspect ratios of the output's video tracks; none in a container that PyAV writes them
        to."""
        ratios = AspectRatios(self._report_lost_ratios)
        if self._container.is_quicktime:
            return ratios
        for stream in self._copier.source.streams.video:
            if stream.index == self._source.stream_index:
                ratios.add(stream.sample_aspect_ratio, encoder.stream.codec_context.codec.canonical_name)
            elif self._copier.plans[stream.index].action is Action.COPIED:
                ratios.add(stream.sample_aspect_ratio, describe(stream).codec)
        return ratios

    def _report_lost_ratios(self, ratios: str) -> None:
        self._report_loss(
            f"{self._display_name} cannot hold the sample aspect ratio {ratios}; .mp4 and .mov can"
        )

    def _report_loss(self, loss: str) -> None:
        if self._strict:
            raise OutputError(f"--strict: {loss}")
        log.warning("%s", loss)
