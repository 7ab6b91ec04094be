"""Pieces: stretches of the restored video, each encoded by itself, in files that are kept until OUT is whole.

A piece's file holds the encoder's packets as they came, and behind them what is to be known of it: a record
for each packet, a record in JSON, its length and a magic number. It has its name once it is whole and
durable.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from av.packet import Packet, PacketSideData, PktSideDataT

from .destination import make_durable

#: pts, dts and duration in ticks, whether it is a key frame, how many side data there are, size in bytes.
_PACKET = struct.Struct("<qqq?BI")
#: Length of the name of side data, and its size in bytes.
_SIDE = struct.Struct("<BI")
#: Length of the record in JSON.
_END = struct.Struct("<I8s")
_MAGIC = b"VRPIECE1"
#: Side data that say how an encoder went about it, which no container holds.
_LEFT_OUT = ("quality_stats", "cpb_properties")


class PieceFile:
    """A piece being written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_suffix(".part")
        self._file = self._part.open("wb")
        self._stamps: list[tuple[int, int]] = []
        self._time_base = Fraction(1)

    def add(self, packets: Iterable[Packet]) -> None:
        """The next packets, in coding order."""
        for packet in packets:
            sides = [side for side in packet.iter_sidedata() if side.data_type not in _LEFT_OUT]
            dts = packet.pts if packet.dts is None else packet.dts
            self._stamps.append((packet.pts, dts))
            self._time_base = packet.time_base
            record = _PACKET.pack(
                packet.pts, dts, packet.duration or 0, packet.is_keyframe, len(sides), packet.size
            )
            self._file.write(record)
            for side in sides:
                name, data = side.data_type.encode(), bytes(side)
                self._file.write(_SIDE.pack(len(name), len(data)) + name + data)
            self._file.write(packet)

    def finish(self, *, frames: int, faces: int, extradata: bytes) -> Piece:
        """Make it durable and give it its name."""
        about = {
            "frames": frames,
            "faces": faces,
            "extradata": extradata.hex(),
            "time_base": [self._time_base.numerator, self._time_base.denominator],
            "stamps": self._stamps,
        }
        text = json.dumps(about).encode()
        with self._file:
            self._file.write(text + _END.pack(len(text), _MAGIC))
        make_durable(self._part, self._path)
        return _piece(self._path, about)

    def abandon(self) -> None:
        """Remove what there is of it."""
        with suppress(OSError):  # on a full disk closing fails as well
            self._file.close()
        self._part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece that is whole."""

    path: Path
    frames: int
    faces: int
    extradata: bytes  #: what a decoder must know of its encoder
    time_base: Fraction

    @property
    def stamps(self) -> list[tuple[int, int]]:
        """pts and dts of each packet, in coding order: read anew each time, since pieces may be many."""
        return [(pts, dts) for pts, dts in _read_record(self.path)["stamps"]]

    def packets(self, decoding_times: Sequence[int]) -> Iterator[Packet]:
        """Its packets, with these dts. One is held at a time."""
        with self.path.open("rb") as file:
            for dts in decoding_times:
                pts, _, duration, key, sides, size = _PACKET.unpack(file.read(_PACKET.size))
                found = []
                for _ in range(sides):
                    name_length, length = _SIDE.unpack(file.read(_SIDE.size))
                    found.append((file.read(name_length).decode(), file.read(length)))
                packet = Packet(file.read(size))
                packet.time_base = self.time_base
                packet.pts, packet.dts, packet.duration, packet.is_keyframe = pts, dts, duration, key
                for name, data in found:
                    packet.set_sidedata(_side_data(name, data))
                yield packet


def read_piece(path: Path) -> Piece | None:
    """The piece in a file; None where it is not whole."""
    try:
        return _piece(path, _read_record(path))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read_record(path: Path) -> dict[str, Any]:
    """What is to be known of a piece. Raises OSError or ValueError where it is not whole."""
    with path.open("rb") as file:
        end = file.seek(-_END.size, os.SEEK_END)
        length, magic = _END.unpack(file.read(_END.size))
        if magic != _MAGIC:
            raise ValueError(f"{path} is no piece")
        file.seek(end - length)
        return json.loads(file.read(length))


def _piece(path: Path, about: dict[str, Any]) -> Piece:
    return Piece(
        path,
        about["frames"],
        about["faces"],
        bytes.fromhex(about["extradata"]),
        Fraction(*about["time_base"]),
    )


def _side_data(name: str, data: bytes) -> PacketSideData:
    side = PacketSideData(get_args(PktSideDataT).index(name), len(data))
    side.update(data)
    return side


class DecodingTimes:
    """Decoding times across pieces: those of one encoder that had made them all.

    An encoder that shows packets in another order than it gives them lets each be decoded some frames
    before its turn: dts is the time of the frame that is shown as many places earlier. Its first packets
    have no such frame, and get times before the first one; those of the next pieces have one in the piece
    before.
    """

    def __init__(self) -> None:
        self._delay: int | None = None
        self._before: list[int] = []  #: the times of the last frames so far

    def __call__(self, stamps: Sequence[tuple[int, int]]) -> list[int]:
        """The dts of the next piece's packets, from their own pts and dts in coding order."""
        shown = sorted(pts for pts, _ in stamps)
        if self._delay is None:
            self._delay = _delay(stamps, shown)
            times = [dts for _, dts in stamps]
        else:
            times = (self._before + shown)[: len(stamps)]
        self._before = (self._before + shown)[len(self._before) + len(shown) - self._delay :]
        return times


def _delay(stamps: Sequence[tuple[int, int]], shown: list[int]) -> int:
    """How many frames before its turn an encoder lets each be decoded."""
    last = stamps[-1][1]
    if last in shown:
        return len(shown) - 1 - shown.index(last)
    places = {pts: place for place, pts in enumerate(shown)}
    return max(place - places[pts] for place, (pts, _) in enumerate(stamps))
