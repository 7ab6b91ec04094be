"""What a file is: its container, streams and times, read from the headers alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from ..errors import InputError, UsageError
from .image_sequence import ffmpeg_arguments, is_sequence
from .pyav_compat import KEEP_METADATA

#: Frames per second of a video that does not tell its own.
USUAL_RATE = Fraction(25)


@dataclass(frozen=True)
class StreamInfo:
    """One stream, in words."""

    index: int
    kind: str  #: video, audio, subtitle, data, attachment
    codec: str
    language: str | None
    title: str | None
    details: str  #: size, rate and pixel format, or sample rate and channels

    def __str__(self) -> str:
        parts = [f"#{self.index} {self.kind}: {self.codec}"]
        parts += [text for text in (self.details, self.language, self.title and repr(self.title)) if text]
        return ", ".join(parts)


@dataclass(frozen=True)
class MediaInfo:
    """The video of a file, by its headers."""

    duration: Fraction | None  #: seconds
    width: int  #: as stored, before any rotation
    height: int
    pix_fmt: str
    rate: Fraction | None  #: frames per second, on average
    frames: int | None  #: as the container says or the duration suggests; None where neither does


def open_input(path: Path, *, rate: Fraction | None = None) -> InputContainer:
    """Open a file, or numbered pictures (``frame_%06d.png``), for reading. Raises InputError with one
    sentence for whatever is wrong with it, UsageError for the ``rate`` of a file that has its own."""
    if is_sequence(path):
        name, options = ffmpeg_arguments(path, rate or USUAL_RATE)
        try:
            return av.open(name, format="image2", options=options)
        except av.error.FFmpegError as error:
            raise InputError(f"the pictures {path} cannot be read ({error.strerror})") from None
    if rate is not None:
        raise UsageError(f"--rate is for numbered pictures (frame_%06d.png); {path.name} has its own times")
    if not path.exists():
        raise InputError(f"{path} does not exist; check the name of the input")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a video file")
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise InputError(f"{path} is empty (0 bytes); there is nothing to restore")
        return av.open(str(path.absolute()), **KEEP_METADATA)
    except (PermissionError, av.error.PermissionError):
        raise InputError(f"{path} cannot be read: permission denied") from None
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{path} cannot be read as a video ({reason}); is it damaged, cut short or another kind of file?"
        ) from None


def main_video(container: InputContainer, path: Path, number: int | None = None) -> VideoStream:
    """The stream to restore: ``number``, or the first video that is no cover art and can be decoded.

    Raises InputError where there is none, UsageError for a number that is no video's.
    """
    pictures = (Disposition.attached_pic, Disposition.timed_thumbnails)
    streams = [s for s in container.streams.video if not any(s.disposition & p for p in pictures)]
    if not streams:
        raise InputError(f"{path} holds no video stream; there is nothing to restore")
    if number is not None:
        if number not in (known := [s.index for s in streams]):
            raise UsageError(
                f"--video-stream {number} is no video of {path.name}; use {' or '.join(map(str, known))}"
            )
        streams = [s for s in streams if s.index == number]
    for stream in streams:
        if stream.codec_context is not None and stream.codec_context.pix_fmt:
            return stream
    with suppress(av.error.FFmpegError):
        refuse_encrypted(next(container.demux(streams[0])), path)
    raise InputError(f"the video of {path} cannot be decoded; its codec is unknown or its header damaged")


def refuse_encrypted(packet: Packet, path: Path) -> None:
    """Raise InputError for a packet that only its key makes readable."""
    if packet.has_sidedata("encryption_info"):
        raise InputError(
            f"{path} is encrypted, as films under copy protection are, and cannot be read without its key; "
            "decrypt it first"
        )


def frame_rate(stream: VideoStream) -> Fraction | None:
    """Frames per second, on average; None where nothing tells."""
    rate = stream.average_rate or stream.guessed_rate
    return Fraction(rate) if rate else None  # PyAV 19 has fractions of its own


def probe(path: Path, *, video_stream: int | None = None) -> MediaInfo:
    """Read a file's headers. Raises as :func:`main_video` does, and InputError."""
    with open_input(path) as container:
        stream = main_video(container, path, video_stream)
        context = stream.codec_context
        duration = None
        if container.duration is not None:
            duration = Fraction(container.duration, av.time_base)
        elif stream.duration is not None and stream.time_base:
            duration = stream.duration * stream.time_base
        rate = frame_rate(stream)
        frames = stream.frames or (round(duration * rate) if duration and rate else None)
        return MediaInfo(duration, context.width, context.height, context.pix_fmt, rate, frames)


def describe(stream: Stream) -> StreamInfo:
    """One stream of an open file, in words."""
    context = stream.codec_context
    codec = (
        context.codec.canonical_name if context is not None else (getattr(stream, "name", None) or "unknown")
    )
    details = ""
    if stream.type == "video" and context is not None:
        rate = stream.average_rate
        details = f"{context.width}x{context.height} {context.pix_fmt}"
        details += f", {float(rate):.6g} frames/s" if rate else ""
    elif stream.type == "audio" and context is not None:
        details = f"{context.sample_rate} Hz, {context.layout.name}"
    return StreamInfo(
        index=stream.index,
        kind=stream.type,
        codec=codec,
        language=_readable(stream.metadata.get("language")),
        title=_readable(stream.metadata.get("title") or stream.metadata.get("filename")),
        details=details,
    )


def _readable(text: str | None) -> str | None:
    """Metadata that can be printed: bytes that are no UTF-8 come as lone surrogates."""
    return text and text.encode("utf-8", "replace").decode()
