"""HDR10's metadata for containers: Matroska's colour element, MP4's and QuickTime's mdcv and clli boxes.

FFmpeg's muxers write them from what is known of a stream, and PyAV hands that on from one stream to another,
but makes none. So a Matroska header is made here that says it, as RFC 9559 has it; what FFmpeg reads from it
is what the encoder's stream is told.
"""

from __future__ import annotations

import io
import struct
from fractions import Fraction

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

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
_CHROMATICITIES = range(0x55D1, 0x55D9)  # x and y of red, green, blue and white
_LUMINANCE = (0x55DA, 0x55D9)  # the darkest, the brightest
_CONTENT = (0x55BC, 0x55BD)  # the brightest pixel, the brightest frame's average


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
    mastering = colour = b""
    if hdr.chromaticities:
        pairs = zip(_CHROMATICITIES, hdr.chromaticities, strict=True)
        mastering += b"".join(_real(number, value) for number, value in pairs)
    if hdr.luminance:
        mastering += b"".join(_real(n, value) for n, value in zip(_LUMINANCE, hdr.luminance, strict=True))
    if mastering:
        colour += _element(0x55D0, mastering)
    if hdr.content:
        colour += b"".join(_whole(n, value) for n, value in zip(_CONTENT, hdr.content, strict=True))
    video = _whole(0xB0, 64) + _whole(0xBA, 64) + _element(0x55B0, colour)
    track = _whole(0xD7, 1) + _whole(0x73C5, 1) + _whole(0x83, 1) + _element(0x86, codec.encode())
    tracks = _element(0x1654AE6B, _element(0xAE, track + _element(0xE0, video)))
    info = _element(0x1549A966, _whole(0x2AD7B1, 1_000_000))
    cluster = _element(0x1F43B675, _whole(0xE7, 0))  # FFmpeg takes no file for one that ends before the first
    head = _element(0x1A45DFA3, _element(0x4282, b"matroska"))
    return head + _element(0x18538067, info + tracks + cluster)


def _element(number: int, content: bytes) -> bytes:
    """An EBML element; its length in eight bytes (RFC 8794, section 4)."""
    name = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return name + (1 << 56 | len(content)).to_bytes(8, "big") + content


def _whole(number: int, value: int) -> bytes:
    return _element(number, value.to_bytes(8, "big"))


def _real(number: int, value: Fraction) -> bytes:
    return _element(number, struct.pack(">d", value))
