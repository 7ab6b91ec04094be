"""Decides what becomes of each stream of IN in OUT's container, before anything is read from it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import av
import av.error
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from ...errors import OutputError
from ..containers import CONTAINERS, MATROSKA, MOV, MP4, Container
from ..presentation import read_presentation
from ..probe import StreamInfo, describe, open_input, videos
from ..source_video import SourceVideo
from ..timecode import REEL_NAME, is_writable, stated_timecode, timecode
from .audio import has_layout, lossless_codec, usual_layout
from .subtitles import is_styled, text_codec
from .tags import lost_tags, uncommon_tags

#: Codecs that PyAV accepts in every container with ``open_codecs``, to stand in for those it rejects.
_STAND_INS = {"audio": "aac", "video": "h264"}


class Action(StrEnum):
    """What becomes of a stream."""

    RESTORED = "restored"
    COPIED = "copied"  #: packet by packet
    ATTACHED = "attached"  #: cover art, as an attached file
    TRANSCODED = "transcoded"
    REGENERATED = "regenerated"  #: from what is copied elsewhere: chapters, a timecode
    DROPPED = "dropped"


@dataclass(frozen=True)
class StreamPlan:
    """What becomes of one stream."""

    stream: StreamInfo
    action: Action
    codec: str | None = None  #: what it is transcoded to, or regenerated from
    lost: str | None = None  #: what OUT cannot hold of it
    alternative: str | None = None  #: which container would keep it

    def __str__(self) -> str:
        text = self.action.value
        if self.action is Action.TRANSCODED:
            text += f" to {self.codec}"
        elif self.action is Action.REGENERATED:
            text += f" from {self.codec}"
        if self.lost:
            text += f", without {self.lost}"
        return f"{text}; {self.alternative}" if self.alternative else text

    def loss(self, display_name: str) -> str | None:
        """A sentence on what the output of that name cannot hold of the stream; None if nothing is lost."""
        hint = f"; {self.alternative}" if self.alternative else ""
        if self.action is Action.DROPPED:
            return f"{display_name} cannot hold the input's {self.stream}: it is dropped{hint}"
        if self.lost:
            return f"{display_name} cannot hold {self.lost} of the input's {self.stream}{hint}"
        return None


def plan_streams(source: InputContainer, container: Container, main: int) -> list[StreamPlan]:
    """The plan for each stream of ``source``. ``main`` is the number of the stream that is restored."""
    kept = {timecode(source, source.streams[main]), *map(stated_timecode, source.streams.video)}
    return [
        StreamPlan(describe(stream), Action.RESTORED, lost=_lost(stream, container, encoded=True))
        if stream.index == main
        else _plan(stream, container, kept)
        for stream in source.streams
    ]


def restored_stream(source: Path, number: int | None, out: Path, container: Container) -> int | None:
    """The index, in the complete file ``out``, of what was restored from the video stream ``number`` of
    ``source``; None for the main video of both. Raises InputError."""
    if number is None:
        return None
    with open_input(source) as given, open_input(out) as made:
        plans = plan_streams(given, container, number)
        kept = (Action.RESTORED, Action.COPIED)
        place = sum(plans[video.index].action in kept for video in videos(given) if video.index < number)
        return videos(made)[place].index


def lost_metadata(source: InputContainer, plans: Iterable[StreamPlan], container: Container) -> str | None:
    """The tags of the file that ``container`` cannot hold; None if it holds all."""
    tags = uncommon_tags(source.metadata, container)
    return ", ".join(map(repr, tags)) if tags and not can_list_keys(source, plans) else None


def can_list_keys(source: InputContainer, plans: Iterable[StreamPlan]) -> bool:
    """Whether an MP4 can hold its tags in a list of keys: not along with cover art, which is a tag of the
    other kind."""
    covers = (s.index for s in source.streams if Disposition.attached_pic in s.disposition)
    copied = {plan.stream.index for plan in plans if plan.action is Action.COPIED}
    return copied.isdisjoint(covers)


def holds_timecode(container: Container, video: SourceVideo) -> bool:
    """Whether ``container`` can hold the timecode of a video."""
    return not (container.is_quicktime and video.timecode) or is_writable(video.timecode, video.rate)


def losses(
    video: SourceVideo,
    source: InputContainer,
    plans: Sequence[StreamPlan],
    container: Container,
    display_name: str,
) -> list[str]:
    """A sentence on each thing in ``source``, the open file of ``video``, that the output called
    ``display_name`` cannot hold."""
    sentences = [loss for plan in plans if (loss := plan.loss(display_name))]
    if tags := lost_metadata(source, plans, container):
        keeper = MATROSKA.extension
        sentences.append(
            f"{display_name} cannot hold the input's tags {tags} along with cover art; {keeper} keeps them"
        )
    if not holds_timecode(container, video):
        sentences.append(
            f"{display_name} cannot hold the input's timecode {video.timecode} at {float(video.rate):g} "
            f"frames per second; {MATROSKA.extension} keeps it"
        )
    return sentences


def refuse_losses(video: SourceVideo, container: Container, display_name: str) -> None:
    """Raise OutputError if the output called ``display_name`` cannot hold everything in the file of
    ``video``."""
    with open_input(video.path) as source:
        plans = plan_streams(source, container, video.stream_index)
        lost = losses(video, source, plans, container, display_name)
    if lost:
        raise OutputError(f"--strict: {'; '.join(lost)}")


def add_copy(stream: Stream, output: OutputContainer, container: Container) -> Stream:
    """Add a stream to ``output`` that takes the packets of ``stream`` as they are. Raises ValueError if it
    cannot hold them."""
    add = _copy_method(stream, container)
    if add is None:
        raise ValueError(f"{container.name} cannot hold {describe(stream)}")
    return add(stream, output)


def add_stream_like(stream: VideoStream, output: OutputContainer, *, rate: Fraction) -> VideoStream:
    """Add a stream to ``output`` that takes the packets of an open encoder.

    ``rate``, in frames per second, must be stated: FFmpeg's muxers need it to write a timecode, and PyAV does
    not copy it.
    """
    added = _with_parameters(stream, output, stream.codec_context.codec.canonical_name, rate)
    assert isinstance(added, VideoStream)
    return added


def _plan(stream: Stream, container: Container, timecodes: set[str | None]) -> StreamPlan:
    """The plan for a stream that is not restored. ``timecodes`` are those that OUT has beside its videos."""
    info = describe(stream)
    if stream.type == "data":
        if stated := stated_timecode(stream):
            lost = None if stated in timecodes else f"the further timecode {stated}"
            return _plan_timecode(info, container, lost, stream.metadata.get(REEL_NAME))
        if stream.discard == Discard.all:  # how FFmpeg marks a track of chapter titles
            return StreamPlan(info, Action.REGENERATED, "the chapters")
    lost = _lost(stream, container)
    if _is_attached_cover(stream, container):
        return StreamPlan(info, Action.ATTACHED)
    if _copy_method(stream, container):
        alternative = _alternative(stream) if lost else None
        return StreamPlan(info, Action.COPIED, lost=lost, alternative=alternative)
    if codec := text_codec(stream, container):
        if is_styled(stream):
            lost = ", ".join(filter(None, ("the styles and positions", lost)))
        return StreamPlan(info, Action.TRANSCODED, codec, lost, _alternative(stream) if lost else None)
    if codec := lossless_codec(stream, container):
        return StreamPlan(info, Action.TRANSCODED, codec, lost)
    return StreamPlan(info, Action.DROPPED, alternative=_alternative(stream))


def _plan_timecode(info: StreamInfo, container: Container, lost: str | None, reel: str | None) -> StreamPlan:
    """The plan for a timecode track, whose value is written from that of a video unless it is ``lost``."""
    keeper = None
    if not lost and reel and container.track_tags is not None and REEL_NAME not in container.track_tags:
        lost, keeper = f"the reel name {reel!r}", f"{MOV.extension} keeps it"
    return StreamPlan(info, Action.REGENERATED, "the timecode", lost, keeper)


def _alternative(stream: Stream) -> str | None:
    """Which container keeps a stream unchanged, or nearly so, for messages; None if none does."""
    keepers = [
        container
        for container in CONTAINERS.values()
        if _is_attached_cover(stream, container) or _copy_method(stream, container)
    ]
    for container in keepers:
        if not _lost(stream, container):
            return f"{container.extension} keeps it"
    if not keepers and (codec := lossless_codec(stream, MATROSKA)):
        return f"{MATROSKA.extension} keeps it as {codec}"
    return f"{keepers[0].extension} keeps it" if keepers else None


def _is_attached_cover(stream: Stream, container: Container) -> bool:
    """Whether a stream is cover art that becomes an attachment."""
    is_cover = Disposition.attached_pic in stream.disposition
    return is_cover and describe(stream).codec in container.cover_files


def _lost(stream: Stream, container: Container, *, encoded: bool = False) -> str | None:
    lost = lost_tags(stream, container, encoded=encoded)
    if isinstance(stream, VideoStream) and not encoded:  # otherwise the choice of the encoder reports it
        lost.append(read_presentation(stream).lost_in(container) or "")
    return ", ".join(filter(None, lost)) or None


def _copy_method(stream: Stream, container: Container) -> Callable[[Stream, OutputContainer], Stream] | None:
    """The best way to copy a stream that works for a file with this stream alone; None if none does."""
    if not _survives_copy(stream, container):
        return None
    methods = [_from_template]
    if container.open_codecs and stream.type in _STAND_INS:
        methods.append(_from_stand_in)
    return next((add for add in methods if _works(add, stream, container)), None)


def _survives_copy(stream: Stream, container: Container) -> bool:
    """False for streams that muxers accept without an error and then leave out or change."""
    if Disposition.timed_thumbnails in stream.disposition:
        return False
    if Disposition.attached_pic in stream.disposition:
        return container.cover_stream
    if container is MP4 and isinstance(stream, AudioStream) and _is_pcm(stream):
        return has_layout(stream)  # FFmpeg reports it only at the end of the file
    if stream.type == "data":
        return container.data is None or stream.name in container.data
    return stream.type != "attachment" or container.attachments


def _is_pcm(stream: AudioStream) -> bool:
    return stream.codec_context is not None and stream.codec_context.name.startswith("pcm_")


def _works(add: Callable[[Stream, OutputContainer], Stream], stream: Stream, container: Container) -> bool:
    try:
        with av.open(io.BytesIO(), "w", format=container.name) as trial:
            add(stream, trial)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _from_template(stream: Stream, output: OutputContainer) -> Stream:
    """Add a stream as PyAV does, with the container's own tag for the codec."""
    target = output.add_stream_from_template(stream, opaque=True)
    if isinstance(stream, AudioStream):
        assert isinstance(target, AudioStream)
        target.codec_context.layout = usual_layout(stream, required=output.format.name == MP4.name)
    return target


def _from_stand_in(stream: Stream, output: OutputContainer) -> Stream:
    """Add a stream with the input's tag for the codec: how Matroska holds codecs that PyAV would reject."""
    return _with_parameters(stream, output, _STAND_INS[stream.type])


def _with_parameters(
    stream: Stream, output: OutputContainer, codec: str, rate: Fraction | None = None
) -> Stream:
    target = output.add_mux_stream(codec, rate=rate)
    target.time_base = stream.time_base
    # The null filter copies all codec parameters from its input stream to its output stream.
    BitStreamFilterContext("null", stream, target)
    return target
