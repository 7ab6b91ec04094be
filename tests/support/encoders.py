"""Writers with encoders as the pipeline chooses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.choose import choose_encoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.output.destination import container_of
from vidrestore.media.output.segment_writer import SegmentWriter
from vidrestore.media.output.writer import StreamWriter


def open_writer(
    decoder: Decoder, out: Path, settings: EncoderSettings | None = None, *, strict: bool = False
) -> StreamWriter:
    """A writer of the video in ``decoder``, in the container that the name of ``out`` says."""
    encoder = choose_encoder(decoder.source, container_of(out), settings or EncoderSettings(), strict=strict)
    return StreamWriter(out, decoder.source, encoder, strict=strict)


def open_segment_writer(
    decoder: Decoder, out: Path, settings: EncoderSettings | None = None, **options: Any
) -> SegmentWriter:
    """The same, in segments."""
    encoder = choose_encoder(decoder.source, container_of(out), settings or EncoderSettings())
    return SegmentWriter(out, decoder.source, encoder, **options)
