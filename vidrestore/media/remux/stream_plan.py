"""What becomes of each stream of a file in another container, settled before any of it is read."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from ...errors import OutputError
from ..probe import StreamInfo, describe, open_input
from .audio import lossless_codec, usual_layout
from .subtitles import is_styled, text_codec
from .tags import QUICKTIME, lost_tags, uncommon_tags

#: Endings that name a container, and FFmpeg's muxers, in the order in which they are recommended.
_ENDINGS = {".mkv": "matroska", ".mp4": "mp4", ".mov": "mov", ".webm": "webm"}
#: Codecs that PyAV knows Matroska to hold.
_SURE = {"audio": "aac", "video": "h264"}
#: Pictures that Matroska attaches: the codec, and the ending and type of a file of it.
PICTURES = {"mjpeg": ("jpg", "image/jpeg"), "png": ("png", "image/png"), "gif": ("gif", "image/gif")}


class Action(StrEnum):
    """What is done with a stream."""

    RESTORED = "restored"
    COPIED = "copied"  #: packet by packet
    ATTACHED = "attached"  #: a picture as a file within the file
    CONVERTED = "converted"
    MADE_ANEW = "made anew"  #: of what is kept elsewhere: chapters, a timecode
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class StreamPlan:
    """What becomes of one stream."""

    stream: StreamInfo
    action: Action
    codec: str | None = None  #: what it is converted to, or made from
    lost: str | None = None  #: what does not come along
    instead: str | None = None  #: what would keep it

    def __str__(self) -> str:
        what = self.action.value
        if self.action is Action.CONVERTED:
            what += f" to {self.codec}"
        elif self.action is Action.MADE_ANEW:
            what += f" from {self.codec}"
        if self.lost:
            what += f", without {self.lost}"
        return f"{what}; {self.instead}" if self.instead else what

    def loss(self, called: str) -> str | None:
        """A sentence on what ``called``, the output, cannot hold of it; None where nothing is lost."""
        hint = f"; {self.instead}" if self.instead else ""
        if self.action is Action.LEFT_OUT:
            return f"{called} cannot hold the input's {self.stream}: it is left out{hint}"
        if self.lost:
            return f"{called} cannot hold {self.lost} of the input's {self.stream}{hint}"
        return None


def plan_streams(source: InputContainer, muxer: str, main: int) -> list[StreamPlan]:
    """What becomes of each stream of ``source``, of which ``main`` is restored, in a file by ``muxer``."""
    return [
        StreamPlan(describe(s), Action.RESTORED, lost=_lost(s, muxer, encoded=True))
        if s.index == main
        else _plan(s, muxer)
        for s in source.streams
    ]


def lost_metadata(source: InputContainer, plans: Iterable[StreamPlan], muxer: str) -> str | None:
    """The tags of the file as a whole that do not come along; None where all do."""
    tags = uncommon_tags(source.metadata, muxer)
    return ", ".join(map(repr, tags)) if tags and not can_list_keys(source, plans) else None


def can_list_keys(source: InputContainer, plans: Iterable[StreamPlan]) -> bool:
    """Whether an MP4 may have its tags as a list of keys: not beside cover art, a tag of the other kind."""
    covers = (s.index for s in source.streams if Disposition.attached_pic in s.disposition)
    copied = {plan.stream.index for plan in plans if plan.action is Action.COPIED}
    return copied.isdisjoint(covers)


def losses(source: InputContainer, plans: Iterable[StreamPlan], muxer: str, called: str) -> list[str]:
    """A sentence on each thing that ``called``, the output, cannot hold."""
    sentences = [loss for plan in plans if (loss := plan.loss(called))]
    if tags := lost_metadata(source, plans, muxer):
        sentences.append(f"{called} cannot hold the input's tags {tags} beside cover art; .mkv keeps them")
    return sentences


def refuse_losses(path: Path, muxer: str, main: int, called: str) -> None:
    """Raise OutputError where a file by ``muxer``, ``called`` so, cannot hold all of ``path``."""
    with open_input(path) as source:
        lost = losses(source, plan_streams(source, muxer, main), muxer, called)
    if lost:
        raise OutputError(f"--strict: {'; '.join(lost)}")


def add_copy(stream: Stream, container: OutputContainer) -> Stream:
    """Give ``container`` a stream for the packets of ``stream``. Raises ValueError where it cannot."""
    way = _way(stream, container.format.name)
    if way is None:
        raise ValueError(f"{container.format.name} cannot hold {describe(stream)}")
    return way(stream, container)


def add_stream_like(stream: VideoStream, container: OutputContainer, *, rate: Fraction) -> VideoStream:
    """Give ``container`` a stream for the packets of an open encoder. It says its frame rate, as FFmpeg's
    muxers must know it to write a timecode, and PyAV tells of no copied one."""
    return _with_parameters(stream, container, stream.codec_context.codec.canonical_name, rate)


def _plan(stream: Stream, muxer: str) -> StreamPlan:
    info = describe(stream)
    if stream.type == "data":
        if "timecode" in stream.metadata:
            return StreamPlan(info, Action.MADE_ANEW, "the timecode")
        if stream.discard == Discard.all:  # FFmpeg's sign for a track of chapter titles
            return StreamPlan(info, Action.MADE_ANEW, "the chapters")
    lost = _lost(stream, muxer)
    if _is_picture_file(stream, muxer):
        return StreamPlan(info, Action.ATTACHED)
    if _way(stream, muxer):
        return StreamPlan(info, Action.COPIED, lost=lost, instead=_instead(stream) if lost else None)
    if codec := text_codec(stream, muxer):
        if is_styled(stream):
            lost = ", ".join(filter(None, ("the styles and places", lost)))
        return StreamPlan(info, Action.CONVERTED, codec, lost, _instead(stream) if lost else None)
    if codec := lossless_codec(stream, muxer):
        return StreamPlan(info, Action.CONVERTED, codec, lost)
    return StreamPlan(info, Action.LEFT_OUT, instead=_instead(stream))


def _instead(stream: Stream) -> str | None:
    """What keeps a stream as it is, or nearly; None where nothing does."""
    keepers = [
        (ending, muxer)
        for ending, muxer in _ENDINGS.items()
        if _is_picture_file(stream, muxer) or _way(stream, muxer)
    ]
    for ending, muxer in keepers:
        if not _lost(stream, muxer):
            return f"{ending} keeps it"
    if not keepers and (codec := lossless_codec(stream, "matroska")):
        return f".mkv keeps it as {codec}"
    return f"{keepers[0][0]} keeps it" if keepers else None


def _is_picture_file(stream: Stream, muxer: str) -> bool:
    """Whether it is cover art to be attached."""
    picture = Disposition.attached_pic in stream.disposition
    return picture and muxer == "matroska" and describe(stream).codec in PICTURES


def _lost(stream: Stream, muxer: str, *, encoded: bool = False) -> str | None:
    return ", ".join(lost_tags(stream, muxer, encoded=encoded)) or None


def _way(stream: Stream, muxer: str) -> Callable[[Stream, OutputContainer], Stream] | None:
    """The best way to copy a stream that works for a file with nothing else in it; None where none does."""
    ways = (_from_template, _from_parameters) if _has_place(stream, muxer) else ()
    return next((way for way in ways if _works(way, stream, muxer)), None)


def _has_place(stream: Stream, muxer: str) -> bool:
    """What muxers take without an error, and then leave out or make something else of."""
    if Disposition.timed_thumbnails in stream.disposition:
        return False
    if Disposition.attached_pic in stream.disposition:
        return muxer == "mp4"  # as one of its tags
    if stream.type == "data":
        return muxer not in QUICKTIME or stream.name == "bin_data"  # that of cameras
    return stream.type != "attachment" or muxer == "matroska"


def _works(way: Callable[[Stream, OutputContainer], Stream], stream: Stream, muxer: str) -> bool:
    try:
        with av.open(io.BytesIO(), "w", format=muxer) as trial:
            way(stream, trial)
            trial.start_encoding()
    except (ValueError, av.error.FFmpegError):
        return False
    return True


def _from_template(stream: Stream, container: OutputContainer) -> Stream:
    """As PyAV does it, with the tag that the container has for the codec."""
    target = container.add_stream_from_template(stream, opaque=True)
    if stream.type == "audio":
        target.codec_context.layout = usual_layout(stream)  # which MP4 must be told
    return target


def _from_parameters(stream: Stream, container: OutputContainer) -> Stream:
    """With its own tag for the codec, by which alone Matroska holds some that PyAV would refuse."""
    if container.format.name != "matroska" or stream.type not in _SURE:
        raise ValueError
    return _with_parameters(stream, container, _SURE[stream.type])


def _with_parameters(
    stream: Stream, container: OutputContainer, codec: str, rate: Fraction | None = None
) -> Stream:
    target = container.add_mux_stream(codec, rate=rate)
    target.time_base = stream.time_base
    # A filter that does nothing hands on all that is known of what went into it.
    BitStreamFilterContext("null", stream, target)
    return target
