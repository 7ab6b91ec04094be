"""A photo in memory: its samples as the frame that faces are restored in, and all that its file says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from ..frames.colour import Colour
from ..frames.frame import Frame
from ..frames.pixel_format import plane_views
from .formats import PhotoFormat
from .metadata import Metadata

#: Quarter turns counter-clockwise from the stored picture to an upright one, by EXIF's orientation. Four of
#: the eight are also mirrored: faces in those are found and restored mirrored.
_TURNS = {1: 0, 2: 0, 3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}


@dataclass(slots=True)
class Picture(Frame):
    """The samples of a photo, as they are stored."""

    orientation: int = field(default=1, kw_only=True)  #: EXIF's, from 1 to 8

    @property
    def is_mirrored(self) -> bool:
        """As of a frame."""
        return self.orientation in (2, 4, 5, 7)

    @property
    def turns(self) -> int:
        """As of a frame; a mirrored photo stays mirrored."""
        return _TURNS[self.orientation]


class JpegSettings(NamedTuple):
    """How a JPEG was compressed."""

    tables: tuple[tuple[int, ...], ...]  #: quantisation of luma and chroma, in zigzag order
    subsampling: int  #: Pillow's number: 0 is 4:4:4, 1 4:2:2, 2 4:2:0; -1 another
    progressive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo that was read."""

    path: Path
    kind: PhotoFormat
    picture: Picture  #: grey, or RGB; of 8 or 16 bits
    alpha: np.ndarray | None  #: (height, width) of the same type as the samples
    metadata: Metadata
    lossless: bool  #: its samples are those that were once written
    jpeg: JpegSettings | None = None
    losses: tuple[str, ...] = ()  #: what of the file was not read, for messages

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as stored."""
        return self.picture.video.width, self.picture.video.height

    @property
    def bits(self) -> int:
        """Bits per sample: 8 or 16."""
        return self.picture.image().format.bits

    @property
    def is_grey(self) -> bool:
        """Whether it has no colours."""
        return self.picture.image().format.colour_planes == 1

    def samples(self) -> np.ndarray:
        """(height, width) grey, (height, width, 2) with alpha, or (height, width, 3 or 4) RGB, uint8 or
        uint16: a copy."""
        planes = self.picture.image().planes
        planes = [planes[0]] if self.is_grey else [planes[2], planes[0], planes[1]]
        if self.alpha is not None:
            planes.append(self.alpha)
        return np.dstack(planes) if len(planes) > 1 else np.ascontiguousarray(planes[0])


def with_colour(photo: Photo) -> Photo:
    """``photo`` with samples that can hold colours: grey ones become RGB. A grey profile is lost."""
    if not photo.is_grey:
        return photo
    grey = photo.picture.image().planes[0]
    picture = picture_of(np.repeat(grey[..., None], 3, axis=2), photo.picture.orientation)
    metadata = photo.metadata
    lost = ("its colour profile, which is for grey",) if metadata.icc else ()
    return replace(
        photo,
        picture=picture,
        metadata=replace(metadata, icc=b""),
        jpeg=None,
        losses=photo.losses + lost,
    )


def picture_of(samples: np.ndarray, orientation: int = 1) -> Picture:
    """The frame of ``samples`` (height, width) grey or (height, width, 3) RGB, uint8 or uint16."""
    deep = samples.dtype == np.uint16
    grey = samples.ndim == 2
    name = ("gray" if grey else "gbrp") + ("16le" if deep else "")
    video = av.VideoFrame(samples.shape[1], samples.shape[0], name)
    channels = [samples] if grey else [samples[..., 1], samples[..., 2], samples[..., 0]]
    for plane, channel in zip(plane_views(video), channels, strict=True):
        plane[...] = channel
    return Picture(0, video, Colour(full_range=True), orientation=orientation)
