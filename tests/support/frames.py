"""Videos made by an ffmpeg binary or PyAV, and transcoded without restoring faces."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support import reader
from tests.support.clips import pattern, write
from tests.support.encoders import open_writer
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.timeline import Span

LOSSLESS = EncoderSettings(codec="ffv1")
FAST = EncoderSettings(preset="ultrafast")


def ffmpeg(*args: object) -> None:
    """Run the ffmpeg binary with these arguments."""
    subprocess.run([reader.binary(), "-v", "error", "-y", *map(str, args)], check=True, timeout=60)


def synthetic(out: Path, source: str, *args: object) -> Path:
    """Write ``out`` from one of FFmpeg's lavfi sources; ``args`` are options of the output."""
    ffmpeg("-f", "lavfi", "-i", source, *args, out)
    return out


def pass_through(
    source: Path,
    out: Path,
    settings: EncoderSettings | None = None,
    span: Span | None = None,
    *,
    strict: bool = False,
    **more,
) -> Path:
    """Transcode ``source`` to ``out`` without restoring faces. ``more`` is passed to the decoder."""
    settings = settings or EncoderSettings()
    with (
        Decoder(source, span, strict=strict, **more) as decoder,
        open_writer(decoder, out, settings, strict=strict) as writer,
    ):
        for frame in decoder:
            writer.write(frame)
    return out


def pass_through_fast(
    source: Path, out: Path, *, span: Span | None = None, video_stream: int | None = None
) -> Path:
    """:func:`pass_through` with the fastest encoder that the container of ``out`` can hold."""
    settings = EncoderSettings(codec="libx264", preset="ultrafast")
    if out.suffix == ".webm":
        settings = EncoderSettings(codec="libvpx-vp9", pix_fmt="yuv420p")
    return pass_through(source, out, settings, span, video_stream=video_stream)


def clip(path: Path, count=6, size=(64, 48), pix_fmt="yuv420p", **more) -> Path:
    """Write a moving pattern; ``more`` are arguments of :func:`tests.support.clips.write`."""
    return write(path, [pattern(i, *size, pix_fmt) for i in range(count)], **more)
