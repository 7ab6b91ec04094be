"""What the encoder's side needs to know about the video of IN: facts, so that it needs no live decoder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from av.video.frame import VideoFrame

from .frames.colour import Colour, ColourTags
from .frames.hdr_metadata import HdrMetadata
from .frames.side_data import display_matrix
from .presentation import Presentation
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
    #: FFmpeg's name of the format that its decoder delivers, before frames are repacked.
    decoded_format: str
    rate: Fraction  #: frames per second, on average; ``DEFAULT_RATE`` if unknown
    time_base: Fraction  #: seconds per tick of the frames' timestamps
    sample_aspect_ratio: Fraction | None  #: of the first frame; None if unknown
    upright_aspect: float = 1.0  #: width of a displayed pixel relative to its height: after rotation
    field_order: int  #: AVFieldOrder of the decoded frames: progressive if they are deinterlaced
    interlaced: bool  #: decoded frames hold two fields each, according to the stream's header
    colour: Colour  #: how sample values are converted to R'G'B'
    tags: ColourTags  #: the colour tags of the first frame, as they are in the stream
    turns: int = 0  #: quarter turns counter-clockwise from the stored picture to the displayed one
    mirrored: bool = False  #: it is displayed mirrored, after it was turned
    display_matrix: tuple[int, ...] | None  #: rotation and flips: 9 numbers in FFmpeg's fixed point
    hdr: HdrMetadata | None  #: static HDR10 metadata
    presentation: Presentation  #: spherical projection, stereo 3D and cropping
    timecode: str | None  #: of its first frame: that which the file states, else the pictures themselves
    side_data: frozenset[str]  #: kinds of side data of the first frame, such as ``closed captions``

    def changes(
        self, frame: VideoFrame, tags: ColourTags, colour: Colour, aspect_ratio: Fraction | None
    ) -> frozenset[str]:
        """What is stated once in OUT, from the first frame, and is different in another frame as it was
        decoded, with its tags, conversion and sample aspect ratio: by the names that messages use."""
        matrix, hdr = display_matrix(frame), HdrMetadata.of(frame)
        changed = {
            "changes of rotation": matrix is not None and matrix != self.display_matrix,
            "changes of HDR10 metadata": hdr is not None and hdr != self.hdr,
            "changes of aspect ratio": (aspect_ratio or 1) != (self.sample_aspect_ratio or 1),
            "changes of colour tags": bool(self.tags.contradictions(tags))
            or not self.colour.shows_as(colour),
        }
        return frozenset(name for name, is_changed in changed.items() if is_changed)
