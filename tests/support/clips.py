"""Small clips made with PyAV: moving patterns in any pixel format, with audio."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vidrestore.media.frames.pixel_format import plane_views


def pattern(index: int, width: int, height: int, pix_fmt: str) -> av.VideoFrame:
    """A smooth pattern, moved by 3 pixels per ``index``, that uses the full bit depth of the format."""
    frame = av.VideoFrame(width, height, pix_fmt)
    bits = frame.format.components[0].bits
    for number, plane in enumerate(plane_views(frame)):
        y, x = np.mgrid[0 : plane.shape[0], 0 : plane.shape[1]]
        wave = np.sin((x + 3 * index) / 9 + number) * np.cos(y / 7 - number)
        # Low chroma contrast, so that every sample is a colour within the RGB range.
        contrast = 0.35 if number == 0 or frame.format.is_rgb else 0.08
        plane[...] = ((wave * contrast + 0.5) * ((1 << bits) - 1)).astype(plane.dtype)
    return frame


def write(
    path: Path,
    frames: list[av.VideoFrame],
    *,
    codec: str = "libx264",
    rate: Fraction = Fraction(25),
    times: list[int] | None = None,
    time_base: Fraction | None = None,
    audio: int = 0,
    options: dict[str, str] | None = None,
    tags: dict[str, int] | None = None,
    rotation: int = 0,
    flips: bool = False,
    aspect: Fraction | None = None,
) -> Path:
    """Encode ``frames`` into ``path``, with as many AAC tracks as ``audio`` says.

    Args:
        times: Timestamps of the frames in ticks of ``time_base``; by default one frame per 1 / ``rate`` s.
        time_base: By default 1 / ``rate``.
        options: Of the video encoder.
        tags: Attributes of the codec context, such as ``color_trc``.
        rotation: In degrees, as a display matrix.
        flips: The display matrix mirrors too.
        aspect: Sample aspect ratio.
    """
    base = time_base or 1 / rate
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=rate, options=options or {})
        video.width, video.height = frames[0].width, frames[0].height
        video.pix_fmt = frames[0].format.name
        video.time_base = video.codec_context.time_base = base
        for name, value in (tags or {}).items():
            setattr(video.codec_context, name, value)
        if aspect:
            video.codec_context.sample_aspect_ratio = aspect
        if rotation or flips:
            video.set_display_rotation(rotation, hflip=flips)
        tracks = []
        for number in range(audio):
            track = container.add_stream("aac", rate=44100)
            track.metadata["language"] = ("eng", "deu", "fra")[number]
            tracks.append(track)
        times = times or [round(i / rate / base) for i in range(len(frames))]
        for frame, pts in zip(frames, times, strict=True):
            frame.pts, frame.time_base = pts, base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        seconds = float(times[-1] * base) + float(1 / rate)
        for number, track in enumerate(tracks):
            tone(container, track, 220.0 * (number + 1), seconds)
    return path


def tagged(
    path: Path, out: Path, *, tags: dict[str, str] | None = None, track_tags: dict[str, str] | None = None
) -> Path:
    """Copy the video of ``path`` into ``out``, whose file and track get these tags."""
    with av.open(str(path)) as given, av.open(str(out), "w") as copied:
        stream = copied.add_stream_from_template(given.streams.video[0], opaque=True)
        copied.metadata.update(tags or {})
        stream.metadata.update(track_tags or {})
        for packet in given.demux(given.streams.video[0]):
            if packet.size:
                packet.stream = stream
                copied.mux(packet)
    return out


def decode(path: Path) -> list[av.VideoFrame]:
    """All frames of a clip's video stream."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def tone(
    container: av.container.OutputContainer, stream: av.AudioStream, hertz: float, seconds: float
) -> None:
    """Encode a stereo sine wave, sampled at 44.1 kHz, into ``stream``."""
    for start in range(0, int(seconds * 44100), 1024):
        t = (np.arange(start, start + 1024) / 44100).astype(np.float32)
        samples = np.tile(0.2 * np.sin(2 * np.pi * hertz * t), (2, 1)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 44100, start, Fraction(1, 44100)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
