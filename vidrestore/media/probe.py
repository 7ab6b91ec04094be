"""What a file is: its container, streams and times, read from its headers alone."""

from __future__ import annotations

import stat
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from ..errors import InputError, UsageError
from . import late_streams
from .clock import has_clock
from .clock_survey import is_steady
from .frame_distances import FrameDistances
from .image_sequence import ffmpeg_arguments, is_sequence
from .pyav_compat import KEEP_METADATA
from .untrusted import opening_options

#: Frames per second of a video that does not tell its own.
DEFAULT_RATE = Fraction(25)
#: Frames per second above which an average rate may be the ticks of a clock instead.
_FASTEST = 480
#: More seconds than any audio encoder needs before the first sample that is heard.
_PRIMING = Fraction(1, 5)


@dataclass(frozen=True)
class StreamInfo:
    """One stream, described for people."""

    index: int
    kind: str  #: video, audio, subtitle, data, attachment
    codec: str
    language: str | None
    title: str | None
    details: str  #: size, pixel format and frame rate, or sample rate and channels

    def __str__(self) -> str:
        parts = [f"#{self.index} {self.kind}: {self.codec}"]
        parts += [text for text in (self.details, self.language, self.title and repr(self.title)) if text]
        return ", ".join(parts)


@dataclass(frozen=True)
class MediaInfo:
    """The main video of a file, according to its headers."""

    duration: Fraction | None  #: seconds; None if unknown
    width: int  #: pixels, as stored: before any rotation
    height: int
    pix_fmt: str  #: FFmpeg's name of the pixel format
    rate: Fraction | None  #: frames per second, on average; None if unknown
    frames: int | None  #: from the container, or estimated from the duration; None if unknown


def open_input(path: Path, *, rate: Fraction | None = None) -> InputContainer:
    """Open a file, or a sequence of numbered images (``frame_%06d.png``), for reading.

    ``rate`` is the frame rate of a sequence, by default ``DEFAULT_RATE``.

    Raises InputError if it cannot be read, UsageError if ``rate`` is given for a single file.
    """
    if is_sequence(path):
        name, options = ffmpeg_arguments(path, rate or DEFAULT_RATE)
        try:
            return av.open(name, format="image2", options=options)
        except av.error.FFmpegError as error:
            raise InputError(f"the images {path} cannot be read ({error.strerror})") from None
    if rate is not None:
        raise UsageError(
            f"--rate is for numbered images (frame_%06d.png); {path.name} has its own timestamps"
        )
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{path} does not exist; check the name of the input") from None
    except (OSError, ValueError) as error:  # a name that is too long or contains NUL
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{str(path)!r} cannot be read: {reason}; check the name of the input") from None
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path} is a folder; name a video file")
    try:
        if stat.S_ISREG(status.st_mode) and status.st_size == 0:
            raise InputError(f"{path} is empty (0 bytes); there is nothing to restore")
        return _open_file(path)
    except (PermissionError, av.error.PermissionError):
        raise InputError(f"{path} cannot be read: permission denied") from None
    except (av.error.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{path} cannot be read as a video ({reason}); is it damaged, cut short or another kind of file?"
        ) from None


def _open_file(path: Path) -> InputContainer:
    name, options = str(path.absolute()), opening_options()
    container = av.open(name, options=options, **KEEP_METADATA)
    if not late_streams.may_gain_streams(container):
        return container
    container.close()
    return av.open(name, options=options | late_streams.FURTHER, **KEEP_METADATA)


def videos(container: InputContainer) -> list[VideoStream]:
    """The video streams that are not cover art."""
    pictures = (Disposition.attached_pic, Disposition.timed_thumbnails)
    return [s for s in container.streams.video if not any(s.disposition & p for p in pictures)]


def main_video(container: InputContainer, path: Path, number: int | None = None) -> VideoStream:
    """The stream to restore: stream ``number``, by default the first video that can be decoded and is not
    cover art.

    Raises InputError if there is none, UsageError if stream ``number`` is not such a video.
    """
    streams = videos(container)
    if not streams:
        raise InputError(f"{path} holds no video stream; there is nothing to restore")
    if number is not None:
        if number not in (known := [s.index for s in streams]):
            raise UsageError(
                f"--video-stream {number} is not a video stream of {path.name}; "
                f"use {' or '.join(map(str, known))}"
            )
        streams = [s for s in streams if s.index == number]
    elif container.metadata.get("major_brand") == "avis":
        # An animated AVIF has a still picture first, for readers that do not play it.
        streams = [s for s in streams if s.frames != 1] or streams
    for stream in streams:
        # PyAV gives a stream of an unknown codec no context.
        if stream.codec_context is not None and stream.codec_context.pix_fmt:
            return stream
    with suppress(av.error.FFmpegError):
        refuse_encrypted(next(container.demux(streams[0])), path)
    if _is_animated_webp(path):
        raise InputError(
            f"{path} is an animated WebP, which this FFmpeg cannot decode; convert it to numbered images, "
            f"for example with ImageMagick, `magick {path.name} -coalesce frame_%06d.png`, and restore "
            "frame_%06d.png"
        )
    raise InputError(
        f"{path} cannot be decoded: it is no photo, and as a video its codec is unknown or its header damaged"
    )


def _is_animated_webp(path: Path) -> bool:
    """Whether a file begins as an animated WebP does (RFC 9649, section 2.7.1)."""
    try:
        with path.open("rb") as file:
            head = file.read(21)
    except OSError:  # a sequence of images
        return False
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and bool(head[20:] and head[20] & 2)


def refuse_encrypted(packet: Packet, path: Path) -> None:
    """Raise InputError if a packet is encrypted."""
    if packet.has_sidedata("encryption_info"):
        raise InputError(f"{path} is encrypted (DRM) and cannot be read without its key; decrypt it first")


def frame_rate(path: Path, stream: VideoStream) -> Fraction | None:
    """Frames per second of a stream of the open file ``path``; None if unknown.

    The header's average rate or FFmpeg's guess, whichever agrees with the first packets, else their own. Some
    headers state the ticks of a clock (raw DV, AVI with dropped frames) or an average over a last frame that
    is said to last for hours. Raises InputError.
    """
    # Fraction: PyAV 19 has a class of its own.
    stated = [Fraction(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate]
    if is_sequence(path):
        return next(iter(stated), None)
    state = path.stat()
    found = _first_distances(path, stream.index, (state.st_size, state.st_mtime_ns))
    return next((rate for rate in stated if not found.contradict(rate)), found.rate)


def clock_is_steady(path: Path, stream: VideoStream) -> bool:
    """Whether times are places in the file ``path`` with this stream, so that it has a length and can be
    searched. In transport and program streams, recordings may be joined that have clocks of their own. Raises
    InputError."""
    if is_sequence(path):
        return True
    state = path.stat()
    return _clock_is_steady(path, stream.index, (state.st_size, state.st_mtime_ns))


@lru_cache(maxsize=16)
def _clock_is_steady(path: Path, index: int, file_state: object) -> bool:
    with open_input(path) as container:
        return not has_clock(container) or is_steady(container, index)


def length_of(container: InputContainer, path: Path, stream: VideoStream) -> Fraction | None:
    """The duration of the open file ``path`` in seconds; None if unknown. Raises InputError."""
    if not container.duration or not clock_is_steady(path, stream):
        return None
    return Fraction(container.duration, av.time_base)


def time_before_zero(container: InputContainer) -> Fraction:
    """The seconds before time 0 at which the first video or audio begins; 0 if none does.

    MP4 and Matroska have the priming samples of audio encoders there, which are not heard.
    """
    priming = _PRIMING if {"mov", "matroska"} & set(container.format.name.split(",")) else 0
    starts = [
        (stream.type, stream.start_time * stream.time_base)
        for stream in container.streams
        if stream.type in ("video", "audio") and stream.start_time is not None and stream.time_base
    ]
    if all(start >= (-priming if kind == "audio" else 0) for kind, start in starts):
        return Fraction(0)
    return -min(start for _, start in starts)


@lru_cache(maxsize=16)
def _first_distances(path: Path, index: int, file_state: object) -> FrameDistances:
    with open_input(path) as container:
        return FrameDistances.read(container, main_video(container, path, index))


def probe(path: Path, *, video_stream: int | None = None) -> MediaInfo:
    """Read the headers of a file. ``video_stream`` selects a video stream other than the main one.

    Raises InputError if the file cannot be read, UsageError if ``video_stream`` is not a video stream.
    """
    with open_input(path) as container:
        stream = main_video(container, path, video_stream)
        context = stream.codec_context
        assert context.pix_fmt is not None  # main_video selects only streams that have one
        duration = length_of(container, path, stream)
        if container.duration is None and stream.duration is not None and stream.time_base:
            duration = stream.duration * stream.time_base
        rate = frame_rate(path, stream)
        frames = stream.frames or (round(duration * rate) if duration and rate else None)
        return MediaInfo(duration, context.width, context.height, context.pix_fmt, rate, frames)


def describe(stream: Stream) -> StreamInfo:
    """Describe one stream of an open file."""
    context = stream.codec_context
    codec = (
        context.codec.canonical_name if context is not None else (getattr(stream, "name", None) or "unknown")
    )
    details = ""
    if isinstance(stream, VideoStream) and context is not None:
        rate = stream.average_rate
        if rate and rate > _FASTEST and stream.time_base == 1 / rate:  # the ticks of a clock, as of raw DV
            rate = stream.guessed_rate
        details = f"{stream.codec_context.width}x{stream.codec_context.height} {stream.codec_context.pix_fmt}"
        details += f", {float(rate):.6g} frames/s" if rate else ""
    elif isinstance(stream, AudioStream) and context is not None:
        details = f"{stream.codec_context.sample_rate} Hz, {stream.codec_context.layout.name}"
    return StreamInfo(
        index=stream.index,
        kind=stream.type,
        codec=codec,
        language=_printable(stream.metadata.get("language")),
        title=_printable(stream.metadata.get("title") or stream.metadata.get("filename")),
        details=details,
    )


def _printable(text: str | None) -> str | None:
    """Replace bytes that are not UTF-8, which PyAV decodes to lone surrogates."""
    return text and text.encode("utf-8", "replace").decode()
