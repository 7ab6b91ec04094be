"""A file as ``vidrestore probe`` tells of it: everything that is known before it is read through."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame

from ..errors import VidrestoreError
from .decode.deinterlace import find_scan
from .frames.hdr_metadata import HdrMetadata
from .probe import StreamInfo, describe, frame_rate, main_video, open_input
from .remux.tags import kept_metadata

#: Names of the code points of ITU-T H.273 by their numbers, as FFmpeg spells them.
_RANGES = (None, "limited", "full")
_PRIMARIES = (
    None,
    "bt709",
    None,
    None,
    "bt470m",
    "bt470bg",
    "smpte170m",
    "smpte240m",
    "film",
    "bt2020",
    "smpte428",
    "smpte431",
    "smpte432",
)
_TRANSFERS = (
    None,
    "bt709",
    None,
    None,
    "gamma22",
    "gamma28",
    "smpte170m",
    "smpte240m",
    "linear",
    "log100",
    "log316",
    "iec61966-2-4",
    "bt1361e",
    "iec61966-2-1",
    "bt2020-10",
    "bt2020-12",
    "smpte2084",
    "smpte428",
    "arib-std-b67",
)
_MATRICES = (
    "gbr",
    "bt709",
    None,
    None,
    "fcc",
    "bt470bg",
    "smpte170m",
    "smpte240m",
    "ycgco",
    "bt2020nc",
    "bt2020c",
    "smpte2085",
    None,
    None,
    "ictcp",
)
#: AVFieldOrder, as coded and as shown.
_FIELD_ORDERS = (None, "progressive", "top", "bottom", "top, bottom first", "bottom, top first")


def report(path: Path, *, video_stream: int | None = None, rate: Fraction | None = None) -> dict[str, Any]:
    """All of a file's headers, and what its first frame says of itself, ready for JSON: times in seconds,
    exact fractions as text, None or nothing where the file does not tell. ``restores`` is the number of the
    stream that a run would restore; ``rate`` is that of numbered pictures. Raises InputError where it cannot
    be read."""
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
            streams[main.index] |= _seen(first) | {"scan": str(find_scan(path, video_stream))}
        return {
            "path": str(path),
            "container": container.format.name,
            "size": container.size if container.size > 0 else None,
            "duration": _seconds(container.duration, Fraction(1, av.time_base)),
            "start_time": _seconds(container.start_time, Fraction(1, av.time_base)),
            "bit_rate": container.bit_rate or None,
            "metadata": dict(container.metadata),
            "restores": main.index if main is not None else None,
            "note": note,
            "streams": streams,
            "chapters": [
                {
                    "start": float(chapter["start"] * chapter["time_base"]),
                    "end": float(chapter["end"] * chapter["time_base"]),
                    "metadata": dict(chapter["metadata"]),
                }
                for chapter in container.chapters()
            ],
        }


def as_text(report: dict[str, Any], actions: dict[int, str] | None = None) -> str:
    """A report in words, one stream a line, with what is done with each behind it where that is known."""
    length = f"{report['duration']:.2f} s" if report["duration"] is not None else "unknown length"
    lines = [f"{Path(report['path']).name}: {report['container']}, {length}"]
    if (main := report["restores"]) is not None and (frames := _frames(report["streams"][main], report)):
        lines[0] += f", about {frames} frames"
    if report["start_time"]:
        lines[0] += f", begins at {report['start_time']:.3f} s"
    for stream in report["streams"]:
        lines.append(f"  {stream['description']}")
        if flags := [flag for flag in stream["disposition"] if flag != "attached pic"]:
            lines[-1] += f" ({', '.join(flags)})"
        if looks := _looks(stream):
            lines.append(f"     {', '.join(looks)}")
        if actions and stream["index"] in actions:
            lines.append(f"     -> {actions[stream['index']]}")
    for number, chapter in enumerate(report["chapters"], start=1):
        title = chapter["metadata"].get("title", "")
        lines.append(f"  chapter {number}: {chapter['start']:.2f} to {chapter['end']:.2f} s {title}".rstrip())
    lines += [f"  {key}: {value}" for key, value in kept_metadata(report["metadata"]).items()]
    if report["note"]:
        lines.append(report["note"])
    # Bytes that are no UTF-8 come as lone surrogates, which cannot be printed.
    return "\n".join(lines).encode("utf-8", "replace").decode()


def _frames(stream: dict[str, Any], report: dict[str, Any]) -> int | None:
    length = stream["duration"] or report["duration"]
    rate = Fraction(stream["frame_rate"] or 0)
    return stream["frames"] or (round(length * rate) if length and rate else None)


def _looks(stream: dict[str, Any]) -> list[str]:
    """How the video is to be shown, where that is not as most are."""
    if "colour" not in stream:
        return []
    said = [f"{name} {value}" for name, value in stream["colour"].items() if value]
    if (aspect := stream["sample_aspect_ratio"]) not in (None, "1"):
        said.append(f"sample aspect {aspect}")
    if stream.get("rotation"):
        said.append(f"rotated by {stream['rotation']} degrees")
    if stream.get("scan", "progressive") != "progressive":
        said.append(stream["scan"])
    if light := stream.get("light"):
        said.append(light["description"])
    return said


def _stream(stream: Stream) -> dict[str, Any]:
    info: StreamInfo = describe(stream)
    context = stream.codec_context
    told: dict[str, Any] = {
        "index": stream.index,
        "type": info.kind,
        "codec": info.codec,
        "description": str(info),
        "profile": stream.profile if context is not None else None,
        "language": info.language,
        "title": info.title,
        "disposition": [d.name.replace("_", " ") for d in Disposition if d in stream.disposition],
        "metadata": dict(stream.metadata),
        "time_base": _ratio(stream.time_base),
        "start_time": _seconds(stream.start_time, stream.time_base),
        "duration": _seconds(stream.duration, stream.time_base),
        "frames": stream.frames or None,
        "bit_rate": (context.bit_rate if context is not None else None) or None,
    }
    if info.kind == "video" and context is not None:
        told |= {
            "width": context.width,
            "height": context.height,
            "pix_fmt": context.pix_fmt,
            "frame_rate": _ratio(frame_rate(stream)),
            "sample_aspect_ratio": _ratio(stream.sample_aspect_ratio),
            "field_order": _name(_FIELD_ORDERS, context.field_order),
            "colour": {
                "range": _name(_RANGES, context.color_range),
                "matrix": _name(_MATRICES, context.colorspace),
                "primaries": _name(_PRIMARIES, context.color_primaries),
                "transfer": _name(_TRANSFERS, context.color_trc),
            },
        }
    elif info.kind == "audio" and context is not None:
        told |= {
            "sample_rate": context.sample_rate,
            "channels": context.layout.nb_channels,
            "layout": context.layout.name,
            "sample_format": context.format.name if context.format else None,
        }
    elif info.kind == "attachment":
        told["bytes"] = len(stream.data)
    return told


def _first_frame(container: InputContainer, main: Stream) -> VideoFrame | None:
    """What FFmpeg's demuxers know of a picture, they say with its first frame."""
    try:
        return next(container.decode(main), None)
    except av.error.FFmpegError:
        return None


def _seen(frame: VideoFrame | None) -> dict[str, Any]:
    if frame is None:
        return {}
    seen: dict[str, Any] = {"rotation": round(frame.rotation) % 360}
    if light := HdrMetadata.of(frame):
        seen["light"] = {
            "description": str(light),
            "chromaticities": light.chromaticities and [float(x) for x in light.chromaticities],
            "luminance": light.luminance and [float(x) for x in light.luminance],
            "max_content": light.content and light.content[0],
            "max_frame_average": light.content and light.content[1],
        }
    return seen


def _seconds(ticks: int | None, base: Fraction | None) -> float | None:
    return None if ticks is None or base is None else float(ticks * base)


def _name(names: Sequence[str | None], number: int) -> str | None:
    return names[number] if 0 <= number < len(names) else None


def _ratio(value: Fraction | None) -> str | None:
    return str(Fraction(value)) if value else None
