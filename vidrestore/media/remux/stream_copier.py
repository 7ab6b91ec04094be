"""Everything of IN except the restored video: copied packet by packet, or transcoded if OUT's container
cannot hold it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from ..clock import Clock, has_clock
from ..containers import MATROSKA, Container
from ..late_streams import late_streams, may_gain_streams
from ..presentation import read_presentation
from ..probe import clock_is_steady, describe, open_input
from ..source_video import SourceVideo
from ..timecode import is_timecode, reel_tags, stated_timecode, timecode
from .audio import AudioTranscoder
from .cut_sound import without_cut_sound
from .languages import three_letter_code
from .packet_copy import PacketCopy
from .part_end import until_end
from .sound_times import SoundTimes
from .stream_plan import Action, StreamPlan, can_list_keys, holds_timecode, losses, plan_streams
from .subtitles import SubtitleTranscoder, clip_to
from .tags import kept_metadata, stream_metadata, uncommon_tags

if TYPE_CHECKING:
    from av.container.core import Chapter  # defined in PyAV's stubs only

log = logging.getLogger(__name__)

#: Seconds before the start of a part in which subtitles may begin that are still shown in it.
_SUBTITLE_MARGIN = Fraction(30)


class _Converter(Protocol):
    """Turns a stream's packets into those of a stream of OUT."""

    @property
    def target(self) -> Stream: ...
    @property
    def damaged(self) -> int: ...

    def convert(self, packet: Packet) -> Iterable[Packet]: ...
    def finish(self) -> Iterable[Packet]: ...


class StreamCopier:
    """Reads IN a second time, independently of the decoder, so that packets are available when the muxer
    needs them, however far the restored frames lag behind. Its owner must close it."""

    def __init__(self, video: SourceVideo, container: Container, *, display_name: str) -> None:
        """Open the file of ``video``, which is restored, and warn of everything that ``container`` cannot
        hold. ``display_name`` is OUT's name in these warnings. Raises InputError."""
        self.source: InputContainer = open_input(video.path)
        self._video = video
        self._timeline = video.timeline
        self._container = container
        self._display_name = display_name
        main = self.source.streams[video.stream_index]
        assert isinstance(main, VideoStream)
        self._main = main
        #: What becomes of each stream, by its number.
        self.plans: list[StreamPlan] = plan_streams(self.source, container, video.stream_index)
        for loss in losses(video, self.source, self.plans, container, display_name):
            log.warning("%s", loss)
        #: Numbers of OUT's streams that got packets. FFmpeg leaves the others out of an MP4.
        self.written: set[int] = set()
        self._converters: dict[int, _Converter] = {}
        self._packets: Iterator[Packet] | None = None
        self._pending: Packet | None = None
        self.sound_times = SoundTimes()  #: corrects single wrong times
        self._late: list[str] = []  #: streams that were found only where they begin

    def close(self) -> None:
        """Close the file."""
        self.source.close()

    def add(self, stream: Stream, output: OutputContainer) -> None:
        """Add a stream to ``output`` for ``stream``, if it can hold it."""
        plan = self.plans[stream.index]
        if plan.action is Action.ATTACHED:
            self._attach(stream, output)
        if plan.action not in (Action.COPIED, Action.TRANSCODED):
            return
        converter = self._converter(stream, output, plan)
        transcoded = plan.action is Action.TRANSCODED
        if transcoded:
            log.info("%s of the input becomes %s", plan.stream, plan.codec)
        converter.target.metadata.update(stream_metadata(stream, self._container, encoded=transcoded))
        if stream.type == "video":
            converter.target.metadata.update(reel_tags(self.source, stated_timecode(stream)))
        converter.target.disposition = stream.disposition
        self._converters[stream.index] = converter

    def metadata(self) -> dict[str, str]:
        """The metadata of the file."""
        metadata = kept_metadata(self.source.metadata)
        return self._with_timecode(metadata) if any(map(is_timecode, metadata)) else metadata

    def main_metadata(self) -> dict[str, str]:
        """The metadata of the restored video, with the timecode of its first frame if there is one."""
        reel = reel_tags(self.source, timecode(self.source, self._main))
        return self._with_timecode(stream_metadata(self._main, self._container, encoded=True) | reel)

    def _with_timecode(self, metadata: dict[str, str]) -> dict[str, str]:
        """``metadata`` with the timecode of OUT's first frame, unless FFmpeg would refuse to write it."""
        metadata = {key: value for key, value in metadata.items() if not is_timecode(key)}
        if self._video.timecode and holds_timecode(self._container, self._video):
            metadata["timecode"] = self._video.timecode
        return metadata

    def movflags(self) -> str:
        """Further ``movflags`` of FFmpeg's MP4 muxer that the metadata requires."""
        uncommon = uncommon_tags(self.source.metadata, self._container)
        return "+use_metadata_tags" if uncommon and can_list_keys(self.source, self.plans) else ""

    def chapters(self) -> list[Chapter]:
        """The input's chapters, cut to the span."""
        timeline = self._timeline
        chapters: list[Chapter] = []
        for chapter in self.source.chapters():
            base = chapter["time_base"]
            assert base is not None
            start, end = chapter["start"] * base, chapter["end"] * base
            if timeline.span.start:
                start = max(start, timeline.start)
            if timeline.end is not None:
                end = min(end, timeline.end)
            if start < end or timeline.span.whole:
                chapter["start"], chapter["end"] = round(start / base), round(end / base)
                chapters.append(self._moved(chapter))
        return chapters

    def _moved(self, chapter: Chapter) -> Chapter:
        """A chapter on the timeline of OUT."""
        assert chapter["time_base"] is not None
        shift = self._timeline.shift(chapter["time_base"])
        chapter["start"] += shift
        chapter["end"] += shift
        return chapter

    def packets_until(self, time: Fraction | None) -> Iterator[Packet]:
        """Packets up to a time in seconds on OUT's timeline, or all that remain, each with its stream and
        timestamps in OUT."""
        if self._packets is None:
            self._packets = self._converted()
        while (packet := self._pending or next(self._packets, None)) is not None:
            stamp = packet.dts if packet.dts is not None else packet.pts
            if time is not None and stamp is not None and stamp * packet.time_base > time:
                self._pending = packet
                return
            self._pending = None
            self.written.add(packet.stream_index)
            yield packet

    @property
    def damaged(self) -> int:
        """How many packets were left out because they are damaged, so far."""
        return sum(converter.damaged for converter in self._converters.values())

    def late_losses(self) -> list[str]:
        """A sentence on each thing that was found only in the packets, and that OUT cannot hold."""
        late = [
            f"{self._video.path.name} has a stream that begins too late to be found when it is opened, "
            f"{text}: it is dropped; remux the file with mkvmerge first to keep it"
            for text in self._late
        ]
        late += [
            f"the input's {plan.stream} changes its channels or sample rate; in {self._display_name} it has "
            "those of its beginning throughout"
            for plan in self.plans
            if isinstance(converter := self._converters.get(plan.stream.index), AudioTranscoder)
            and converter.has_changed
        ]
        return late + [
            f"{self._display_name} cannot hold the colours, fonts and positions of the input's "
            f"{plan.stream}; {MATROSKA.extension} keeps them"
            for plan in self.plans
            if isinstance(converter := self._converters.get(plan.stream.index), SubtitleTranscoder)
            and converter.lost_styles
            and plan.lost is None  # else it was said already
        ]

    def sample_boxes(self) -> dict[int, bytes]:
        """The boxes that FFmpeg does not write for the copied videos, by the numbers of OUT's streams."""
        return {
            self._converters[stream.index].target.index: read_presentation(stream).boxes(self._container)
            for stream in self.source.streams.video
            if stream.index in self._converters
        }

    def hidden_subtitles(self, output: OutputContainer, main: int) -> list[bool]:
        """For each track of a QuickTime file, in their order as in :meth:`track_languages`, whether it is a
        subtitle that is not the default."""
        streams = [output.streams[index] for index in sorted(self.written | {main})]
        return [s.type == "subtitle" and Disposition.default not in s.disposition for s in streams]

    def track_languages(self, output: OutputContainer, main: int) -> list[str | None]:
        """The language codes of the tracks of a QuickTime file, in their order: of each stream that packets
        were written to, and of ``main``, the number of the restored video in ``output``."""
        streams = [output.streams[index] for index in sorted(self.written | {main})]
        return [three_letter_code(stream.metadata.get("language")) for stream in streams]

    def _converter(self, stream: Stream, output: OutputContainer, plan: StreamPlan) -> _Converter:
        if plan.action is Action.COPIED:
            return PacketCopy(stream, output, self._container, self._video.path)
        assert plan.codec is not None
        if isinstance(stream, AudioStream):
            return AudioTranscoder(stream, output, plan.codec)
        return SubtitleTranscoder(stream, output, plan.codec)

    def _converted(self) -> Iterator[Packet]:
        for packet in self._wanted():
            converter = self._converters[packet.stream_index]
            shift = self._timeline.shift(packet.time_base)
            if Disposition.attached_pic in converter.target.disposition:
                packet.pts = packet.dts = -shift  # cover art is at time 0
            if packet.pts is not None:
                packet.pts += shift
            if packet.dts is not None:
                packet.dts += shift
            if converter.target.type == "subtitle":
                clip_to(self._timeline.span, packet)
            yield from converter.convert(packet)
        for converter in self._converters.values():
            yield from converter.finish()

    def _wanted(self) -> Iterator[Packet]:
        """The input's packets that overlap the span, of all streams that have a converter."""
        streams = []
        for stream in self.source.streams:
            if stream.index in self._converters and stream.type != "attachment":
                streams.append(stream)
            else:
                stream.discard = Discard.all
        if may_gain_streams(self.source):
            streams = streams or [self._main]  # read all the same
            self._main.discard = Discard.default
        if not streams:
            return
        clock = Clock(self.source, self._main.index) if has_clock(self.source) else None
        if clock:
            timed = [stream for stream in self.source.streams if stream.type in ("video", "audio")]
            streams = timed + [stream for stream in streams if stream not in timed]
            for stream in streams:
                stream.discard = Discard.default
        if self._timeline.span.start and clock_is_steady(self._video.path, self._main):
            margin = _SUBTITLE_MARGIN if any(stream.type == "subtitle" for stream in streams) else 0
            begin = max(self._timeline.begin, self._timeline.start - margin)
            self.source.seek(int(begin * av.time_base))
        packets, end = self._read(streams), self._timeline.end
        if clock:
            packets = until_end(clock(packets), end, streams)
        else:
            packets = self.sound_times(until_end(packets, end, streams))
        for packet in without_cut_sound(packets, self._timeline.begin):
            if packet.stream_index not in self._converters:
                continue
            # After a seek, FFmpeg gives cover art a time of its own making.
            is_cover = Disposition.attached_pic in packet.stream.disposition
            if (
                is_cover
                or packet.pts is None
                or self._timeline.overlaps(
                    packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
                )
            ):
                yield packet
        self._late = late_streams(self.source) if may_gain_streams(self.source) else []

    def _read(self, streams: list[Stream]) -> Iterator[Packet]:
        packets = self.source.demux(streams)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.FFmpegError, IndexError):
                # The decoder, which reads the same file, reports where it is damaged. IndexError: if streams
                # turn up that were not known, PyAV may look for one it does not have at the end.
                return
            if packet.size or packet.dts is not None:  # else it is how PyAV marks the end of a stream
                yield packet

    def _attach(self, stream: Stream, output: OutputContainer) -> None:
        """Attach cover art as a file, which Matroska's readers recognise by its name."""
        extension, mime_type = self._container.cover_files[describe(stream).codec]
        name = stream.metadata.get("filename") or f"cover.{extension}"
        with open_input(self._video.path) as source:
            picture = next((p for p in source.demux(source.streams[stream.index]) if p.size), None)
            if picture is not None:
                output.add_attachment(name, mime_type, bytes(picture))
