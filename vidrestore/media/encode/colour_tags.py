"""The colour tags of the output."""

from __future__ import annotations

from ..frames.colour import UNTAGGED_MATRICES
from ..frames.pixel_format import planar_equivalent, planar_format
from ..source_video import SourceVideo

_RGB = 0  # AVCOL_SPC_RGB
_LIMITED, _FULL = 1, 2  # AVColorRange


def output_tags(source: SourceVideo, pix_fmt: str) -> dict[str, int]:
    """The tags of the input for output in ``pix_fmt``: FFmpeg's numbers by its names of the codec context's
    fields. A matrix that is not tagged becomes the one that faces are converted with."""
    given, target = planar_format(source.pix_fmt), planar_equivalent(pix_fmt)
    guessed = source.colour.matrix
    full_or_tagged = _FULL if source.colour.full_range else source.tags.range
    if target.is_rgb:
        matrix, colour_range = _RGB, source.tags.range if given.is_rgb else _FULL
    elif given.is_rgb:
        matrix, colour_range = guessed, _LIMITED
    elif target.has_chroma and given.has_chroma and source.tags.matrix in UNTAGGED_MATRICES:
        matrix, colour_range = guessed, full_or_tagged
    else:
        matrix, colour_range = source.tags.matrix, full_or_tagged
    tags = {
        "color_primaries": source.tags.primaries,
        "color_trc": source.tags.transfer,
        "colorspace": matrix,
        "color_range": colour_range,
    }
    if target.has_chroma and source.tags.chroma_location is not None:
        tags["chroma_sample_location"] = source.tags.chroma_location
    return tags
