"""Pixel formats as this package works on them: one plane for each component, 8 to 16 bits.

Every decoder's output either is such a format or has a planar twin that holds the same samples, so
that repacking it loses nothing (nv12 to yuv420p, rgb24 to gbrp, ...).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import av
import numpy as np

#: Packed, semi-planar and palette formats, and the planar format that holds the same samples.
_TWINS = {
    **dict.fromkeys(("nv12", "nv21"), "yuv420p"),
    "nv16": "yuv422p",
    **dict.fromkeys(("nv24", "nv42"), "yuv444p"),
    **dict.fromkeys(("yuyv422", "uyvy422", "yvyu422"), "yuv422p"),
    "uyyvyy411": "yuv411p",
    "p010": "yuv420p10le",
    "p012": "yuv420p12le",
    "p016": "yuv420p16le",
    **dict.fromkeys(("p210", "y210", "nv20"), "yuv422p10le"),
    "y212": "yuv422p12le",
    "p216": "yuv422p16le",
    **dict.fromkeys(("p410", "v30x", "xv30"), "yuv444p10le"),
    **dict.fromkeys(("rgb24", "bgr24", "rgb0", "bgr0", "0rgb", "0bgr"), "gbrp"),
    **dict.fromkeys(("rgba", "bgra", "argb", "abgr", "pal8", "ya8"), "gbrap"),
    **dict.fromkeys(("rgb48", "bgr48"), "gbrp16le"),
    **dict.fromkeys(("rgba64", "bgra64", "ya16"), "gbrap16le"),
    **dict.fromkeys(("x2rgb10", "x2bgr10"), "gbrp10le"),
    **dict.fromkeys(("monow", "monob"), "gray"),
}


@dataclass(frozen=True)
class PixelFormat:
    """A planar format: what its planes hold."""

    name: str  #: FFmpeg's name
    bits: int  #: of each sample; those above 8 lie in the low bits of 16
    is_rgb: bool  #: planes are G, B, R; otherwise Y, or Y, U, V
    has_chroma: bool
    has_alpha: bool  #: the last plane is alpha
    subsampling: tuple[int, int]  #: log2 of the chroma planes' horizontal and vertical reduction

    @property
    def dtype(self) -> np.dtype:
        """Of one sample."""
        return np.dtype(np.uint8 if self.bits == 8 else "<u2")

    @property
    def colour_planes(self) -> int:
        """Planes without alpha: 1 or 3."""
        return 3 if self.is_rgb or self.has_chroma else 1


@cache
def planar_format(name: str) -> PixelFormat | None:
    """The format of that name, or None where it is not planar with 8 to 16 bits a sample."""
    # A size that every subsampling divides shows the planes' reduction.
    form = av.VideoFormat(name, 64, 64)
    components = form.components
    bits = {c.bits for c in components}
    if (
        form.is_big_endian
        or form.has_palette
        or len({c.plane for c in components}) != len(components)
        or len(bits) != 1
        or not 8 <= (depth := bits.pop()) <= 16
        or "f16" in name
        or "msb" in name
        or len(components) == 2
    ):
        return None
    chroma = [c for c in components if c.is_chroma] if not form.is_rgb else []
    reduction = (64 // chroma[0].width, 64 // chroma[0].height) if chroma else (1, 1)
    has_alpha = any(c.is_alpha for c in components)
    colours = len(components) - has_alpha
    return PixelFormat(
        name=name,
        bits=depth,
        is_rgb=form.is_rgb,
        has_chroma=colours == 3 and not form.is_rgb,
        has_alpha=has_alpha,
        subsampling=(reduction[0].bit_length() - 1, reduction[1].bit_length() - 1),
    )


def planar_twin(name: str) -> str:
    """The planar format that holds all that pixel format ``name`` does; ``name`` itself if planar.

    Formats that have no exact twin (floats, Bayer patterns, XYZ) give the deepest RGB.
    """
    if planar_format(name):
        return name
    base = name.removesuffix("le").removesuffix("be")
    if base in _TWINS:
        return _TWINS[base]
    if name.endswith("be") and planar_format(base + "le"):
        return base + "le"
    return "gbrp" if av.VideoFormat(name).bits_per_pixel <= 16 else "gbrp16le"


def plane_views(frame: av.VideoFrame) -> list[np.ndarray]:
    """The planes of a planar frame as (height, width) arrays over the frame's own memory.

    Colour planes first (Y, U, V, or G, B, R), alpha last. Raises ValueError for other formats.
    """
    form = planar_format(frame.format.name)
    if form is None:
        raise ValueError(f"{frame.format.name} is not a planar format")
    size = form.dtype.itemsize
    views = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, form.dtype).reshape(-1, plane.line_size // size)
        views.append(rows[: plane.height, : plane.width])
    return views
