"""What the encoder's side needs to know about the video of IN: facts, so that it needs no live decoder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from .frames.colour import Colour, ColourTags
from .frames.hdr_metadata import HdrMetadata
from .timeline import Timeline


@dataclass(frozen=True, kw_only=True)
class SourceVideo:
    """The video that is restored, as its decoder delivers it. Made after the first frame was decoded."""

    path: Path
    stream_index: int  #: number of the video stream in the file
    timeline: Timeline
    duration: Fraction | None  #: of the file, in seconds; None if its container does not say
    frames: int | None  #: number of frames that the container claims to have; None if it does not say
    codec: str  #: FFmpeg's canonical name, such as ``h264``
    width: int  #: pixels, as stored: before any rotation
    height: int
    upright_size: tuple[int, int]  #: width and height in pixels as displayed: after rotation
    pix_fmt: str  #: FFmpeg's name of the decoded frames' format, which is always planar
    rate: Fraction  #: frames per second, on average; ``DEFAULT_RATE`` if unknown
    time_base: Fraction  #: seconds per tick of the frames' timestamps
    sample_aspect_ratio: Fraction | None
    field_order: int  #: AVFieldOrder of the decoded frames: progressive if they are deinterlaced
    interlaced: bool  #: decoded frames hold two fields each, according to the stream's header
    colour: Colour  #: how sample values are converted to R'G'B'
    tags: ColourTags  #: the colour tags of the first frame, as they are in the stream
    display_matrix: tuple[int, ...] | None  #: rotation and flips: 9 numbers in FFmpeg's fixed point
    hdr: HdrMetadata | None  #: static HDR10 metadata
    dynamic_hdr: str | None  #: kinds of dynamic HDR metadata, such as ``HDR10+``
