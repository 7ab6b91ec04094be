"""Timestamps of copied packets, repaired where a muxer refuses them."""

from __future__ import annotations

from fractions import Fraction

from av.packet import Packet

#: A packet whose clock is behind by more than this many seconds is taken for a clock that was set back. Audio
#: packets follow one another, whereas subtitles may be out of order.
_JUMP, _AUDIO_JUMP = Fraction(1), Fraction(1, 5)


class PacketTimes:
    """Keeps the decoding timestamps of one copied stream increasing, as muxers require."""

    def __init__(self, *, is_audio: bool = False) -> None:
        self._is_audio, self._jump = is_audio, _AUDIO_JUMP if is_audio else _JUMP
        self._distance = Fraction(0)  #: between the last two packets, in seconds
        self._end: Fraction | None = None  #: end of the last packet, in seconds
        self._last_dts: Fraction | None = None  #: dts of the last packet, in seconds
        self._shift = Fraction(0)  #: seconds added to the input's timestamps since the clock was set back

    def shift(self, packet: Packet) -> None:
        """Add to the packet's timestamps what earlier repairs added to those before it. Audio without a
        duration, as some of Matroska, gets that of the packet before: players of MP4 do not play the last one
        otherwise."""
        if self._is_audio and not packet.duration:
            packet.duration = round(self._distance / packet.time_base)
        if self._shift:
            self._add(packet, round(self._shift / packet.time_base))

    def repair(self, packet: Packet) -> None:
        """Give a packet that the muxer refused a timestamp after the last one."""
        base = packet.time_base
        free = 0 if self._last_dts is None else int(self._last_dts / base) + 1
        usual = 0 if self._end is None else max(free, round(self._end / base))
        if packet.dts is None:
            packet.dts = packet.pts if packet.pts is not None else usual
        if (free - packet.dts) * base > self._jump:
            self._shift += (usual - packet.dts) * base
            self._add(packet, usual - packet.dts)
        packet.dts = max(packet.dts, free)
        if packet.pts is None or packet.pts < packet.dts:
            packet.pts = packet.dts

    def record(self, packet: Packet) -> None:
        """Remember a packet that the muxer accepted."""
        if packet.dts is not None:
            if self._last_dts is not None:
                self._distance = packet.dts * packet.time_base - self._last_dts
            self._last_dts = packet.dts * packet.time_base
            self._end = self._last_dts + (packet.duration or 0) * packet.time_base

    @staticmethod
    def _add(packet: Packet, ticks: int) -> None:
        packet.dts = packet.dts + ticks if packet.dts is not None else None
        packet.pts = packet.pts + ticks if packet.pts is not None else None
