"""Segments: stretches of OUT, each encoded by itself and kept in a file of its own until OUT is complete.

A segment file holds the encoder's packets as they came, each behind a binary record, and at its end a JSON
record about the whole segment, the length of that record, a hash of everything before and a magic number. A
file gets its name only when it is complete and durable.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from av.packet import Packet, PacketSideData, PktSideDataT

from ...errors import OutputError
from .destination import make_durable

#: How the names of segment files end.
SUFFIX = ".segment"
#: pts, dts and duration in ticks, key frame or not, number of side data entries, size in bytes.
_PACKET = struct.Struct("<qqq?BI")
#: Length of a side data entry's name, and its size in bytes.
_SIDE_DATA = struct.Struct("<BI")
#: Length of the JSON record.
_LENGTH = struct.Struct("<I")
#: BLAKE2b of everything before, and the magic number.
_END = struct.Struct("<16s8s")
_MAGIC = b"VRSEGM03"
#: Bytes that are read at once to compute the hash of a file.
_CHUNK = 1 << 20
#: Side data about the encoder's own decisions, which no container holds.
_DROPPED_SIDE_DATA = ("quality_stats", "cpb_properties")


class SegmentFile:
    """A segment that is being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_suffix(".part")
        self._file = self._partial.open("wb")
        self._digest = _new_digest()
        self._timestamps: list[tuple[int, int]] = []
        self._time_base = Fraction(1)

    def add(self, packets: Iterable[Packet]) -> None:
        """Append the next packets, in coding order."""
        for packet in packets:
            pts, time_base = packet.pts, packet.time_base
            assert pts is not None, "encoders give every packet its pts"
            dts = pts if packet.dts is None else packet.dts
            side_data = [data for data in packet.iter_sidedata() if data.data_type not in _DROPPED_SIDE_DATA]
            self._timestamps.append((pts, dts))
            self._time_base = time_base
            record = _PACKET.pack(
                pts, dts, packet.duration or 0, packet.is_keyframe, len(side_data), packet.size
            )
            self._write(record)
            for data in side_data:
                name, content = data.data_type.encode(), bytes(data)
                self._write(_SIDE_DATA.pack(len(name), len(content)) + name + content)
            self._write(memoryview(packet))

    def finish(
        self,
        *,
        frames: int,
        info: Sequence[Mapping[str, Any]],
        side_data: Collection[str],
        extradata: bytes,
    ) -> Segment:
        """Make the file durable and give it its name. ``info`` and ``side_data`` are what the properties of
        :class:`Segment` return."""
        record = {
            "frames": frames,
            "info": list(info),
            "side_data": sorted(side_data),
            "extradata": extradata.hex(),
            "time_base": [self._time_base.numerator, self._time_base.denominator],
            "timestamps": self._timestamps,
        }
        text = json.dumps(record).encode()
        with self._file:
            self._write(text + _LENGTH.pack(len(text)))
            self._file.write(_END.pack(self._digest.digest(), _MAGIC))
        make_durable(self._partial, self._path)
        return _segment(self._path, record)

    def _write(self, content: bytes | memoryview) -> None:
        self._digest.update(content)
        self._file.write(content)

    def abandon(self) -> None:
        """Delete the unfinished file."""
        with suppress(OSError):  # on a full disk closing fails as well
            self._file.close()
        self._partial.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Segment:
    """A complete segment."""

    path: Path
    frames: int
    extradata: bytes  #: the encoder's codec configuration, which decoders need before the first packet
    time_base: Fraction

    @property
    def info(self) -> list[dict[str, Any]]:
        """What the writer's caller gave along with the frames, in their order. Read from the file each time,
        so that memory does not grow with the number of segments."""
        return _read_record(self.path)["info"]

    @property
    def side_data(self) -> frozenset[str]:
        """The kinds of side data that its frames came with, whether or not they were kept. Read from the file
        each time."""
        return frozenset(_read_record(self.path)["side_data"])

    @property
    def timestamps(self) -> list[tuple[int, int]]:
        """pts and dts of each packet, in coding order. Read from the file each time."""
        return [(pts, dts) for pts, dts in _read_record(self.path)["timestamps"]]

    def packets(self, dts: Sequence[int]) -> Iterator[Packet]:
        """Read the packets one at a time and give them these ``dts``."""
        with self.path.open("rb") as file:
            for decoding_time in dts:
                pts, _, duration, is_keyframe, count, size = _PACKET.unpack(file.read(_PACKET.size))
                side_data = []
                for _ in range(count):
                    name_length, length = _SIDE_DATA.unpack(file.read(_SIDE_DATA.size))
                    side_data.append((file.read(name_length).decode(), file.read(length)))
                packet = Packet(file.read(size))
                packet.time_base = self.time_base
                packet.pts, packet.dts, packet.duration = pts, decoding_time, duration
                packet.is_keyframe = is_keyframe
                for name, content in side_data:
                    packet.set_sidedata(_side_data(name, content))
                yield packet


def read_segment(path: Path) -> Segment | None:
    """The segment in a file; None if the file is missing or incomplete. Raises OutputError if it cannot be
    read, as where the connection to its disk is lost: it may be whole."""
    try:
        return _segment(path, _read_record(path))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {error.strerror}; run again when it can be") from None


def is_sound(path: Path) -> bool:
    """Whether a segment file holds what was written: it is complete, and its content has the hash that it
    should have. Reads the whole file."""
    digest = _new_digest()
    try:
        with path.open("rb") as file:
            left = file.seek(-_END.size, os.SEEK_END)
            expected, magic = _END.unpack(file.read(_END.size))
            file.seek(0)
            while left and (chunk := file.read(min(left, _CHUNK))):
                digest.update(chunk)
                left -= len(chunk)
    except OSError:
        return False
    return magic == _MAGIC and digest.digest() == expected


def _new_digest() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


def _read_record(path: Path) -> dict[str, Any]:
    """A segment's JSON record. Raises OSError or ValueError if the file is incomplete."""
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) < _LENGTH.size + _END.size:
            raise ValueError(f"{path} is not a complete segment")
        end = file.seek(-_LENGTH.size - _END.size, os.SEEK_END)
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        _, magic = _END.unpack(file.read(_END.size))
        if magic != _MAGIC:
            raise ValueError(f"{path} is not a complete segment")
        file.seek(max(0, end - length))
        return json.loads(file.read(length))


def _segment(path: Path, record: dict[str, Any]) -> Segment:
    return Segment(
        path,
        frames=record["frames"],
        extradata=bytes.fromhex(record["extradata"]),
        time_base=Fraction(*record["time_base"]),
    )


def _side_data(name: str, content: bytes) -> PacketSideData:
    kind = get_args(PktSideDataT).index(name)
    side_data = PacketSideData(kind, len(content))  # pyright: ignore[reportCallIssue]  # not in PyAV's stubs
    side_data.update(content)
    return side_data


class DecodingTimes:
    """Computes the dts across segments that a single encoder would have given all packets.

    With an encoder that reorders frames, each frame is decoded some frames before it is shown: the dts of the
    n-th packet is the pts of the frame that is shown a fixed number of places (the delay) earlier. The first
    packets have no such frame and get times before the first one; in later segments those frames are in the
    previous segment.
    """

    def __init__(self) -> None:
        self._delay: int | None = None  #: in frames
        self._previous: list[int] = []  #: pts of the last ``_delay`` frames so far

    def __call__(self, timestamps: Sequence[tuple[int, int]]) -> list[int]:
        """The dts of the next segment's packets, from their own pts and dts in coding order."""
        shown = sorted(pts for pts, _ in timestamps)
        if self._delay is None:
            self._delay = _delay(timestamps, shown)
            times = [dts for _, dts in timestamps]
        else:
            times = (self._previous + shown)[: len(timestamps)]
        known = self._previous + shown
        self._previous = known[len(known) - self._delay :]
        return times


def _delay(timestamps: Sequence[tuple[int, int]], shown: list[int]) -> int:
    """How many frames before it is shown an encoder lets each frame be decoded."""
    last_dts = timestamps[-1][1]
    if last_dts in shown:
        return len(shown) - 1 - shown.index(last_dts)
    places = {pts: place for place, pts in enumerate(shown)}
    return max(place - places[pts] for place, (pts, _) in enumerate(timestamps))
