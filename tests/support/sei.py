"""SEI messages added to H.264 and HEVC video: captions and metadata, as broadcasts and cameras write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import av
from av.bitstream import BitStreamFilterContext

_PICTURE_TIMING, _T35, _USER_DATA, _FRAME_PACKING, _ORIENTATION = 1, 4, 5, 45, 47
_TIME_CODE, _AMBIENT = 136, 148


def captions(index: int) -> tuple[int, bytes]:
    """CEA-608 captions (ATSC A/53) of one frame."""
    pair = bytes([0xFC, 0x80 | (0x41 + index % 26), 0xC2])
    return _T35, b"\xb5\x00\x31GA94\x03\x41\xff" + pair + b"\xff"


def active_format(index: int) -> tuple[int, bytes]:
    """Active format description."""
    return _T35, b"\xb5\x00\x31DTG1\x41\xf8"


def hdr_vivid(index: int) -> tuple[int, bytes]:
    """HDR Vivid metadata."""
    return _T35, b"\x26\x00\x04\x00\x05\x01" + bytes(60)


def user_data(index: int) -> tuple[int, bytes]:
    """Unregistered user data: a UUID and a text."""
    return _USER_DATA, bytes(range(16)) + b"hello %d" % index


def ambient(index: int) -> tuple[int, bytes]:
    """The ambient viewing environment."""
    return _AMBIENT, (3140000).to_bytes(4) + (15635).to_bytes(2) + (16450).to_bytes(2)


def side_by_side(index: int) -> tuple[int, bytes]:
    """Frame packing: two views side by side, the left one first."""
    return _FRAME_PACKING, _bits("1 0 0000011 0 000001 000000 0000000000000000 00000000 1 0")


def rotated(index: int) -> tuple[int, bytes]:
    """Display orientation: 90 degrees from the third frame on."""
    return _ORIENTATION, _bits(f"0 0 0 {16384 * (index > 1):016b} 010 0")


def hevc_timecode(timecode: str) -> tuple[int, bytes]:
    """The timecode of an HEVC frame."""
    hours, minutes, seconds, frames = map(int, re.split("[:;]", timecode))
    dropped = ";" in timecode
    counted = f"1 0 {4 * dropped:05b} 1 0 {dropped:b} {frames:09b}"
    return _TIME_CODE, _bits(f"01 {counted} {seconds:06b} {minutes:06b} {hours:05b} 00000")


def h264_timecode(timecode: str) -> tuple[int, bytes]:
    """The timecode of a progressive H.264 frame, of a stream with the encoder's option ``pic-struct``."""
    hours, minutes, seconds, frames = map(int, re.split("[:;]", timecode))
    dropped = ";" in timecode
    counted = f"1 00 0 {4 * dropped:05b} 1 0 {dropped:b} {frames:08b}"
    return _PICTURE_TIMING, _bits(f"0000 {counted} {seconds:06b} {minutes:06b} {hours:05b} {0:024b}")


def add_sei(source: Path, out: Path, message: Callable[[int], tuple[int, bytes] | None]) -> Path:
    """Write the video of ``source`` with an SEI message in each frame: ``message`` gives its type and
    payload, by the number of the frame in coding order."""
    with av.open(str(source)) as given, av.open(str(out), "w", format="mpegts") as output:
        video = given.streams.video[0]
        codec = video.codec_context.name
        stream = output.add_stream_from_template(video)
        annex_b = BitStreamFilterContext(f"{codec}_mp4toannexb", video)
        packets = (found for packet in given.demux(video) if packet.size for found in annex_b.filter(packet))
        for index, packet in enumerate(packets):
            data, sei = bytes(packet), message(index)
            if sei is not None:
                at = _first_slice(data, codec)
                data = data[:at] + _unit(codec, *sei) + data[at:]
            changed = av.Packet(data)
            changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
            changed.is_keyframe, changed.stream = packet.is_keyframe, stream
            output.mux(changed)
    return out


def _first_slice(data: bytes, codec: str) -> int:
    for start in re.finditer(b"\0\0\1", data):
        kind = data[start.end()]
        if kind & 31 in (1, 5) if codec == "h264" else kind >> 1 & 63 < 32:
            return start.start()
    raise ValueError("no slice")


def _unit(codec: str, kind: int, payload: bytes) -> bytes:
    """A NAL unit with one SEI message."""
    content = bytes([kind, len(payload)]) + payload + b"\x80"
    escaped = re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", content)
    return b"\0\0\1" + (b"\x06" if codec == "h264" else b"\x4e\x01") + escaped


def _bits(text: str) -> bytes:
    bits = text.replace(" ", "") + "1"
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)
