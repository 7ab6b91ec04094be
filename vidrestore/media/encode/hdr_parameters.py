"""HDR10's metadata for containers: Matroska's colour element, MP4's and QuickTime's mdcv and clli boxes.

FFmpeg's muxers write them from what is known of a stream, and PyAV hands that on from one stream to another,
but makes none. So a Matroska header is made here that says it, as RFC 9559 has it; what FFmpeg reads from it
is what the encoder's stream is told.
"""

from __future__ import annotations

import io

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from ..ebml import Element, Id, floating, master, string, unsigned
from ..frames.hdr_metadata import HdrMetadata

#: Matroska's names of codecs, by FFmpeg's.
_CODECS = {
    "h264": "V_MPEG4/ISO/AVC",
    "hevc": "V_MPEGH/ISO/HEVC",
    "av1": "V_AV1",
    "vp9": "V_VP9",
    "ffv1": "V_FFV1",
    "prores": "V_PRORES",
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


def set_hdr_metadata(stream: VideoStream, hdr: HdrMetadata) -> None:
    """Let the stream of an encoder that is not open yet know ``hdr``, for its container to hold. All else
    that is known of it must be set after this. Codecs that Matroska has no name for are left as they are."""
    codec = stream.codec_context.codec.canonical_name
    if codec not in _CODECS:
        return
    with av.open(io.BytesIO(_header(_CODECS[codec], hdr)), format="matroska") as carrier:
        # A filter that does nothing hands on all that is known of what goes into it.
        BitStreamFilterContext("null", carrier.streams.video[0], stream)


def _header(codec: str, hdr: HdrMetadata) -> bytes:
    """A Matroska file with one video track and no frames."""
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
    video = master(
        Id.VIDEO, unsigned(Id.PIXEL_WIDTH, 64), unsigned(Id.PIXEL_HEIGHT, 64), master(Id.COLOUR, *colour)
    )
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
