"""A video written anew beside everything else of its file, without any faces."""

from __future__ import annotations

from pathlib import Path

from tests.support.encoders import open_writer
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.timeline import Span


def through(source: Path, out: Path, *, span: Span | None = None, video_stream: int | None = None) -> Path:
    """Decode ``source`` and write ``out``, quickly."""
    settings = EncoderSettings(codec="libx264", preset="ultrafast")
    if out.suffix == ".webm":
        settings = EncoderSettings(codec="libvpx-vp9", pix_fmt="yuv420p")
    with (
        Decoder(source, span, video_stream=video_stream) as decoder,
        open_writer(decoder, out, settings) as writer,
    ):
        for frame in decoder:
            writer.write(frame)
    return out
