"""Planar pixel formats, the only ones that this package works on: one plane per component, 8 to 16 bits.

A format that is not planar is repacked into a planar one that holds the same samples, so that nothing is
lost (nv12 to yuv420p, rgb24 to gbrp, ...).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import av
import numpy as np

#: Packed, semi-planar and palette formats, each with the planar format that holds the same samples.
_PLANAR = {
    **dict.fromkeys(("nv12", "nv21"), "yuv420p"),
    "nv16": "yuv422p",
    **dict.fromkeys(("nv24", "nv42"), "yuv444p"),
    **dict.fromkeys(("yuyv422", "uyvy422", "yvyu422"), "yuv422p"),
    "uyyvyy411": "yuv411p",
    **dict.fromkeys(("vuyx", "vyu444"), "yuv444p"),
    **dict.fromkeys(("ayuv", "vuya", "uyva"), "yuva444p"),
    "ayuv64": "yuva444p16le",
    "p010": "yuv420p10le",
    "p012": "yuv420p12le",
    "p016": "yuv420p16le",
    **dict.fromkeys(("p210", "y210", "nv20"), "yuv422p10le"),
    **dict.fromkeys(("p212", "y212"), "yuv422p12le"),
    **dict.fromkeys(("p216", "y216"), "yuv422p16le"),
    **dict.fromkeys(("p410", "v30x", "xv30", "yuv444p10msb"), "yuv444p10le"),
    **dict.fromkeys(("p412", "xv36", "yuv444p12msb"), "yuv444p12le"),
    **dict.fromkeys(("p416", "xv48"), "yuv444p16le"),
    **dict.fromkeys(("rgb24", "bgr24", "rgb0", "bgr0", "0rgb", "0bgr"), "gbrp"),
    **dict.fromkeys(("rgba", "bgra", "argb", "abgr", "pal8", "ya8"), "gbrap"),
    **dict.fromkeys(("rgb48", "bgr48"), "gbrp16le"),
    **dict.fromkeys(("rgba64", "bgra64", "ya16"), "gbrap16le"),
    **dict.fromkeys(("x2rgb10", "x2bgr10", "gbrp10msb"), "gbrp10le"),
    "gbrp12msb": "gbrp12le",
    **dict.fromkeys(("monow", "monob"), "gray"),
}
#: Formats whose samples no planar format holds, with the nearest one, where that is not RGB without alpha.
_NEAREST = dict.fromkeys(("gbrapf32", "gbrapf16", "rgbaf16"), "gbrap16le")


@dataclass(frozen=True)
class PixelFormat:
    """The layout of a planar format."""

    name: str  #: FFmpeg's name
    bits: int  #: per sample; more than 8 are stored in the low bits of 16
    is_rgb: bool  #: planes are G, B, R; otherwise Y, or Y, U, V
    has_chroma: bool
    has_alpha: bool  #: the last plane is alpha
    subsampling: tuple[int, int]  #: log2 of the chroma planes' horizontal and vertical reduction

    @property
    def dtype(self) -> np.dtype:
        """The NumPy type of a sample."""
        return np.dtype(np.uint8 if self.bits == 8 else "<u2")

    @property
    def colour_planes(self) -> int:
        """The number of planes without alpha: 1 or 3."""
        return 3 if self.is_rgb or self.has_chroma else 1


def planar_format(name: str) -> PixelFormat:
    """The planar format that FFmpeg calls ``name``. Raises ValueError for any other format."""
    fmt = _find_planar_format(name)
    if fmt is None:
        raise ValueError(f"{name} is not a planar pixel format with 8 to 16 bits per sample")
    return fmt


def is_planar(name: str) -> bool:
    """Whether ``name`` is a planar format with 8 to 16 bits per sample."""
    return _find_planar_format(name) is not None


@cache
def _find_planar_format(name: str) -> PixelFormat | None:
    """The format of that name; None if it is not planar or does not have 8 to 16 bits per sample."""
    # PyAV reports subsampling only as the components' sizes, so ask for a size that all subsamplings divide.
    fmt = av.VideoFormat(name, 64, 64)
    components = fmt.components
    bits = {c.bits for c in components}
    if (
        fmt.is_big_endian
        or fmt.has_palette
        or len({c.plane for c in components}) != len(components)
        or len(bits) != 1
        or not 8 <= (depth := bits.pop()) <= 16
        or "f16" in name
        or "msb" in name
        or len(components) == 2
    ):
        return None
    chroma = [c for c in components if c.is_chroma] if not fmt.is_rgb else []
    reduction = (64 // chroma[0].width, 64 // chroma[0].height) if chroma else (1, 1)
    has_alpha = any(c.is_alpha for c in components)
    colours = len(components) - has_alpha
    return PixelFormat(
        name=name,
        bits=depth,
        is_rgb=fmt.is_rgb,
        has_chroma=colours == 3 and not fmt.is_rgb,
        has_alpha=has_alpha,
        subsampling=(reduction[0].bit_length() - 1, reduction[1].bit_length() - 1),
    )


def planar_equivalent(name: str) -> PixelFormat:
    """The planar format that holds the same samples as pixel format ``name``: ``name`` itself if planar.

    Formats without an exact equivalent (floats, Bayer patterns, XYZ) are mapped to RGB of 8 bits, or of 16
    bits if they have more than 16 bits per pixel: see :func:`what_planes_lack`.
    """
    base = name.removesuffix("le").removesuffix("be")
    little_endian = base + "le"
    if is_planar(name):
        equivalent = name
    elif base in _PLANAR:
        equivalent = _PLANAR[base]
    elif name.endswith("be") and is_planar(little_endian):
        equivalent = little_endian
    elif base in _NEAREST:
        equivalent = _NEAREST[base]
    else:
        equivalent = "gbrp" if av.VideoFormat(name).bits_per_pixel <= 16 else "gbrp16le"
    return planar_format(equivalent)


def what_planes_lack(name: str) -> str:
    """What the planar format for pixel format ``name`` does not hold of its samples, for messages; empty if
    it holds all. RGB of fewer than 8 bits per sample only gets more of them."""
    base, equivalent = name.removesuffix("le").removesuffix("be"), planar_equivalent(name)
    if base in _PLANAR or is_planar(base) or is_planar(base + "le"):
        return ""
    if "f16" in name or "f32" in name:
        return (
            "what its floating-point samples hold below 0 and above 1, which is clipped; the rest is read as "
            f"{equivalent.bits} bits"
        )
    if max(component.bits for component in av.VideoFormat(name).components) > equivalent.bits:
        return f"some of its {name} data, which is read as {equivalent.bits} bits"
    if "bayer" in name or "xyz" in name:
        return f"its {name} data as it is, which is read as RGB of {equivalent.bits} bits"
    return ""


def plane_views(frame: av.VideoFrame) -> list[np.ndarray]:
    """The planes of a planar frame as (height, width) arrays that share the frame's memory.

    Colour planes first (Y, U, V or G, B, R), then alpha. Raises ValueError if the format is not planar.
    """
    fmt = planar_format(frame.format.name)
    size = fmt.dtype.itemsize
    views = []
    for plane in frame.planes:
        # PyAV's type stubs do not declare that planes support the buffer protocol.
        samples = np.frombuffer(plane, fmt.dtype)  # pyright: ignore[reportCallIssue, reportArgumentType]
        rows = samples.reshape(-1, plane.line_size // size)
        views.append(rows[: plane.height, : plane.width])
    return views
