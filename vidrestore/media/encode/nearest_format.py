"""The pixel formats that an encoder accepts, and which of them is nearest to the input's."""

from __future__ import annotations

import av

from ...errors import UsageError
from ..containers import Container
from ..frames.pixel_format import is_planar, planar_equivalent
from ..source_video import SourceVideo

#: Encoders that reject a frame size which their chroma subsampling does not divide.
_NEED_DIVISIBLE_SIZES = ("libx264", "libx265", "libsvtav1")
#: Formats that an encoder lists and then rejects.
_REJECTED = {"libvpx-vp9": ("yuva422p", "yuva444p", "gbrap"), "libx265": ("yuva420p", "yuva420p10le")}


def check_format(codec: av.Codec, name: str) -> str:
    """Return ``name``. Raises UsageError if the encoder does not accept that pixel format."""
    accepted = _accepted_formats(codec)
    if accepted and name not in accepted:
        raise UsageError(
            f"encoder {codec.name} cannot write pixel format {name!r}; it accepts {', '.join(accepted)}"
        )
    try:
        av.VideoFormat(name)
    except ValueError:
        raise UsageError(f"unknown pixel format {name!r}; use for example yuv420p") from None
    return name


def nearest_format(codec: av.Codec, source: SourceVideo, container: Container) -> str:
    """The pixel format of an encoder that keeps everything of the source's in ``container``, or as much as
    possible."""
    accepted = _accepted_formats(codec)
    if not accepted:
        return source.pix_fmt
    if not holds_alpha(container, codec.name):
        accepted = [name for name in accepted if not planar_equivalent(name).has_alpha]
    fitting = [
        name
        for name in accepted
        if codec.name not in _NEED_DIVISIBLE_SIZES or _divides(name, source.width, source.height)
    ]
    return min(fitting or accepted, key=lambda name: _distance(source.pix_fmt, name))


def holds_alpha(container: Container, encoder: str) -> bool:
    """Whether ``container`` can hold the alpha that an encoder writes. That of VP8 and VP9 is a video of its
    own beside each packet, which FFmpeg's MP4 muxer leaves out."""
    return container.family == "matroska" or not encoder.startswith("libvpx")


def is_lossy(source: str, target: str) -> bool:
    """Whether converting from one pixel format to another loses bits or colour.

    Rounding of RGB to YUV of as many bits is less than what an encoder changes by default, see
    :func:`rounds`. Whether alpha is lost depends on the frames, see ``frames/side_data.py``.
    """
    bits, _, chroma, _ = _losses(source, target)
    return bool(bits or chroma)


def rounds(source: str, target: str) -> bool:
    """Whether converting from one pixel format to another is from RGB to YUV or back, which rounds."""
    return bool(_losses(source, target)[1])


def _accepted_formats(codec: av.Codec) -> list[str]:
    """The formats that an encoder accepts in system memory; empty if it does not list any."""
    rejected = _REJECTED.get(codec.name, ())
    names = (fmt.name for fmt in codec.video_formats or () if fmt.components)
    return [name for name in names if name not in rejected]


def _divides(name: str, width: int, height: int) -> bool:
    """Whether a frame's size is a multiple of the format's chroma subsampling."""
    across, down = planar_equivalent(name).subsampling
    return not (width % (1 << across) or height % (1 << down))


def _losses(source: str, target: str) -> tuple[int, int, int, int]:
    """What a conversion loses, the worst first: bits, the RGB or YUV model, chroma, alpha. Zeros if
    nothing."""
    a, b = planar_equivalent(source), planar_equivalent(target)
    chroma = [max(0, y - x) for x, y in zip(a.subsampling, b.subsampling, strict=True)]
    grey = a.colour_planes == 1
    return (
        max(0, a.bits - b.bits),
        int(a.is_rgb != b.is_rgb and not (grey and not b.is_rgb)),
        (0 if grey else sum(chroma)) + 2 * max(0, a.colour_planes - b.colour_planes),
        int(a.has_alpha and not b.has_alpha),
    )


def _distance(source: str, target: str) -> tuple[int, ...]:
    """Sort key: what a conversion loses, then a change of range, what it adds in vain, and repacking."""
    a, b = planar_equivalent(source), planar_equivalent(target)
    finer = [max(0, x - y) for x, y in zip(a.subsampling, b.subsampling, strict=True)]
    return (
        *_losses(source, target),
        int(source.startswith("yuvj") != target.startswith("yuvj")),
        max(0, b.bits - a.bits) + sum(finer) + max(0, b.colour_planes - a.colour_planes) + b.has_alpha,
        int(not is_planar(target)),
    )
