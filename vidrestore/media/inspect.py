"""All that is known about a file before it is decoded as a whole, as ``vidrestore probe`` prints it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import AttachmentStream, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ..errors import VidrestoreError
from .decode.deinterlace import find_scan
from .frames.code_points import colour_names, name_of
from .frames.hdr_metadata import HdrMetadata
from .presentation import read_presentation
from .probe import describe, frame_rate, main_video, open_input
from .remux.tags import kept_metadata

#: AVFieldOrder, as coded and as displayed.
_FIELD_ORDERS = (None, "progressive", "top", "bottom", "top, bottom first", "bottom, top first")


def inspect_file(
    path: Path, *, video_stream: int | None = None, rate: Fraction | None = None
) -> dict[str, Any]:
    """Read the headers and the first frame of a file.

    Args:
        path: A file, or the pattern of numbered images.
        video_stream: Index of the stream to restore; by default the main video.
        rate: Frames per second of numbered images.

    Returns:
        A dict ready for JSON. Times are in seconds, exact fractions are strings, and what is unknown is None
        or left out. ``restores`` is the index of the stream that a run would restore, None if there is none;
        ``note`` then says why.

    Raises:
        InputError: The file cannot be read.
        UsageError: ``video_stream`` is not a video stream, or ``rate`` does not apply.
    """
    with open_input(path, rate=rate) as container:
        try:
            main = main_video(container, path, video_stream)
            note = None
        except VidrestoreError as error:
            if video_stream is not None:
                raise
            main, note = None, str(error)
        first = _first_frame(container, main) if main is not None else None
        streams = [_stream(stream) for stream in container.streams]
        if main is not None:
            streams[main.index] |= (
                _presentation(main, first)
                | _first_frame_facts(first)
                | {
                    "frame_rate": _ratio(frame_rate(path, main)),
                    "scan": str(find_scan(path, video_stream)),
                }
            )
        size: int | None = container.size  # unknown: negative, or None from PyAV 19 on
        return {
            "path": str(path),
            "container": container.format.name,
            "size": size if size and size > 0 else None,
            "duration": _seconds(container.duration, Fraction(1, av.time_base)),
            "start_time": _seconds(container.start_time, Fraction(1, av.time_base)),
            "bit_rate": container.bit_rate or None,
            "metadata": dict(container.metadata),
            "restores": main.index if main is not None else None,
            "note": note,
            "streams": streams,
            "chapters": [
                {
                    "start": _seconds(chapter["start"], chapter["time_base"]),
                    "end": _seconds(chapter["end"], chapter["time_base"]),
                    "metadata": dict(chapter["metadata"]),
                }
                for chapter in container.chapters()
            ],
        }


def as_text(info: dict[str, Any], actions: dict[int, str] | None = None) -> str:
    """The result of :func:`inspect_file` as text, one stream per line. ``actions`` say by stream index what a
    run does with it."""
    length = f"{info['duration']:.2f} s" if info["duration"] is not None else "unknown length"
    lines = [f"{Path(info['path']).name}: {info['container']}, {length}"]
    if (main := info["restores"]) is not None and (frames := _frame_count(info["streams"][main], info)):
        lines[0] += f", about {frames} frames"
    if info["start_time"]:
        lines[0] += f", begins at {info['start_time']:.3f} s"
    for stream in info["streams"]:
        lines.append(f"  {stream['description']}")
        if flags := [flag for flag in stream["disposition"] if flag != "attached pic"]:
            lines[-1] += f" ({', '.join(flags)})"
        if display := _display_text(stream):
            lines.append(f"     {', '.join(display)}")
        if actions and stream["index"] in actions:
            lines.append(f"     -> {actions[stream['index']]}")
    for number, chapter in enumerate(info["chapters"], start=1):
        title = chapter["metadata"].get("title", "")
        lines.append(f"  chapter {number}: {chapter['start']:.2f} to {chapter['end']:.2f} s {title}".rstrip())
    lines += [f"  {key}: {value}" for key, value in kept_metadata(info["metadata"]).items()]
    if info["note"]:
        lines.append(info["note"])
    # PyAV decodes bytes that are not UTF-8 to lone surrogates, which cannot be printed.
    return "\n".join(lines).encode("utf-8", "replace").decode()


def _frame_count(stream: dict[str, Any], info: dict[str, Any]) -> int | None:
    length = stream["duration"] or info["duration"]
    rate = Fraction(stream["frame_rate"] or 0)
    return stream["frames"] or (round(length * rate) if length and rate else None)


def _display_text(stream: dict[str, Any]) -> list[str]:
    """How a video is to be displayed, as far as that is unusual."""
    if "colour" not in stream:
        return []
    parts = [f"{name} {value}" for name, value in stream["colour"].items() if value]
    if (aspect := stream["sample_aspect_ratio"]) not in (None, "1"):
        parts.append(f"sample aspect {aspect}")
    if stream.get("rotation"):
        parts.append(f"rotated by {stream['rotation']} degrees")
    if stream.get("scan", "progressive") != "progressive":
        parts.append(stream["scan"])
    if light := stream.get("light"):
        parts.append(light["description"])
    return parts + list(filter(None, [stream["presentation"]["description"]]))


def _stream(stream: Stream) -> dict[str, Any]:
    info = describe(stream)
    context = stream.codec_context
    facts: dict[str, Any] = {
        "index": stream.index,
        "type": info.kind,
        "codec": info.codec,
        "description": str(info),
        "profile": stream.profile if context is not None else None,
        "language": info.language,
        "title": info.title,
        "disposition": [(d.name or "").replace("_", " ") for d in Disposition if d in stream.disposition],
        "metadata": dict(stream.metadata),
        "time_base": _ratio(stream.time_base),
        "start_time": _seconds(stream.start_time, stream.time_base),
        "duration": _seconds(stream.duration, stream.time_base),
        "frames": stream.frames or None,
        "bit_rate": (context.bit_rate if context is not None else None) or None,
    }
    if isinstance(stream, VideoStream) and context is not None:
        facts |= _video_facts(stream)
    elif isinstance(stream, AudioStream) and context is not None:
        facts |= _audio_facts(stream)
    elif isinstance(stream, AttachmentStream):
        facts["bytes"] = len(stream.data)
    return facts


def _video_facts(stream: VideoStream) -> dict[str, Any]:
    context = stream.codec_context
    return {
        "width": context.width,
        "height": context.height,
        "pix_fmt": context.pix_fmt,
        "frame_rate": _ratio(stream.average_rate or stream.guessed_rate),
        "sample_aspect_ratio": _ratio(stream.sample_aspect_ratio),
        **_presentation(stream),
        "field_order": name_of(_FIELD_ORDERS, context.field_order),
        "colour": colour_names(
            colour_range=context.color_range,
            matrix=context.colorspace,
            primaries=context.color_primaries,
            transfer=context.color_trc,
        ),
    }


def _presentation(stream: VideoStream, frame: VideoFrame | None = None) -> dict[str, Any]:
    """Spherical projection, stereo 3D and cropping, which the first frame may also tell of."""
    presentation = read_presentation(stream, frame)
    return {
        "presentation": {
            "description": str(presentation),
            "projection": presentation.projection_name,
            "stereo_3d": presentation.stereo_name,
            "second_layer": presentation.second_layer,
            "cropping": dict(zip(("top", "bottom", "left", "right"), presentation.cropping, strict=True)),
        }
    }


def _audio_facts(stream: AudioStream) -> dict[str, Any]:
    context = stream.codec_context
    return {
        "sample_rate": context.sample_rate,
        "channels": context.layout.nb_channels,
        "layout": context.layout.name,
        "sample_format": context.format.name if context.format else None,
    }


def _first_frame(container: InputContainer, main: VideoStream) -> VideoFrame | None:
    """The first frame, which carries the facts of the container too, such as its rotation; None if it cannot
    be decoded."""
    try:
        return next(container.decode(main), None)
    except av.error.FFmpegError:
        return None


def _first_frame_facts(frame: VideoFrame | None) -> dict[str, Any]:
    if frame is None:
        return {}
    facts: dict[str, Any] = {"rotation": round(frame.rotation) % 360}
    if hdr := HdrMetadata.of(frame):
        facts["light"] = {
            "description": str(hdr),
            "chromaticities": hdr.chromaticities and [float(x) for x in hdr.chromaticities],
            "luminance": hdr.luminance and [float(x) for x in hdr.luminance],
            "max_content": hdr.content and hdr.content[0],
            "max_frame_average": hdr.content and hdr.content[1],
        }
    return facts


def _seconds(ticks: int | None, base: Fraction | None) -> float | None:
    return None if ticks is None or base is None else float(ticks * base)


def _ratio(value: Fraction | None) -> str | None:
    return str(Fraction(value)) if value else None
