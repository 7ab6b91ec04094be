"""Parameters of a stream for its container: HDR10 metadata, spherical projection, stereo 3D, cropping.

They become elements of Matroska's Video, and boxes of MP4 and QuickTime (mdcv, clli, sv3d, st3d, clap).

FFmpeg's muxers write these from the codec parameters of a stream. PyAV can copy such parameters from one
stream to another, but cannot set them. So a small Matroska file that carries them (RFC 9559) is made in
memory, and its parameters are copied to the encoder's stream.
"""

from __future__ import annotations

import io

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from ..ebml import Element, Id, floating, master, string, unsigned
from ..frames.hdr_metadata import HdrMetadata
from ..presentation import Presentation

#: Matroska's codec IDs, by FFmpeg's canonical codec name.
_CODECS = {
    "h264": "V_MPEG4/ISO/AVC",
    "hevc": "V_MPEGH/ISO/HEVC",
    "av1": "V_AV1",
    "vp9": "V_VP9",
    "ffv1": "V_FFV1",
    "prores": "V_PRORES",
    "vp8": "V_VP8",
    "mpeg1video": "V_MPEG1",
    "mpeg2video": "V_MPEG2",
    "mpeg4": "V_MPEG4/ISO/ASP",
}
#: x and y of red, green, blue and white.
_CHROMATICITIES = (
    Id.PRIMARY_R_CHROMATICITY_X,
    Id.PRIMARY_R_CHROMATICITY_Y,
    Id.PRIMARY_G_CHROMATICITY_X,
    Id.PRIMARY_G_CHROMATICITY_Y,
    Id.PRIMARY_B_CHROMATICITY_X,
    Id.PRIMARY_B_CHROMATICITY_Y,
    Id.WHITE_POINT_CHROMATICITY_X,
    Id.WHITE_POINT_CHROMATICITY_Y,
)
_LUMINANCE = (Id.LUMINANCE_MIN, Id.LUMINANCE_MAX)
_CONTENT = (Id.MAX_CLL, Id.MAX_FALL)


def can_carry(encoder: str) -> bool:
    """Whether :func:`set_parameters` can set parameters of a stream of that encoder."""
    return av.Codec(encoder, "w").canonical_name in _CODECS


def set_parameters(
    stream: VideoStream, hdr: HdrMetadata | None, presentation: Presentation, size: tuple[int, int]
) -> None:
    """Set these in the codec parameters of an encoder's stream, for the muxer to write. ``size`` is the
    picture's width and height.

    Call it before the encoder is opened and before other parameters are set, as it overwrites them. Codecs
    that have no ID here are left alone.
    """
    codec = stream.codec_context.codec.canonical_name
    settings = presentation.elements + ([_colour(hdr)] if hdr else [])
    if codec not in _CODECS or not settings:
        return
    with av.open(io.BytesIO(_header(_CODECS[codec], settings, size)), format="matroska") as carrier:
        # The null filter copies the codec parameters from its input to its output.
        BitStreamFilterContext("null", carrier.streams.video[0], stream)


def _colour(hdr: HdrMetadata) -> Element:
    mastering: list[Element] = []
    if hdr.chromaticities:
        pairs = zip(_CHROMATICITIES, hdr.chromaticities, strict=True)
        mastering += [floating(id, value) for id, value in pairs]
    if hdr.luminance:
        mastering += [floating(id, value) for id, value in zip(_LUMINANCE, hdr.luminance, strict=True)]
    colour: list[Element] = []
    if mastering:
        colour.append(master(Id.MASTERING_METADATA, *mastering))
    if hdr.content:
        colour += [unsigned(id, value) for id, value in zip(_CONTENT, hdr.content, strict=True)]
    return master(Id.COLOUR, *colour)


def _header(codec: str, settings: list[Element], size: tuple[int, int]) -> bytes:
    """A Matroska file with one video track, without frames."""
    width, height = size
    video = master(Id.VIDEO, unsigned(Id.PIXEL_WIDTH, width), unsigned(Id.PIXEL_HEIGHT, height), *settings)
    track = master(
        Id.TRACK_ENTRY,
        unsigned(Id.TRACK_NUMBER, 1),
        unsigned(Id.TRACK_UID, 1),
        unsigned(Id.TRACK_TYPE, 1),
        string(Id.CODEC_ID, codec),
        video,
    )
    segment = master(
        Id.SEGMENT,
        master(Id.INFO, unsigned(Id.TIMESTAMP_SCALE, 1_000_000)),
        master(Id.TRACKS, track),
        # FFmpeg rejects a file that ends before its first cluster.
        master(Id.CLUSTER, unsigned(Id.TIMESTAMP, 0)),
    )
    return master(Id.EBML, string(Id.DOC_TYPE, "matroska")).encode() + segment.encode()
