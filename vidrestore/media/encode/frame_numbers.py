"""Timestamps of frames beside an encoder that only counts frames."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from av.packet import Packet
from av.video.frame import VideoFrame


class FrameNumbers:
    """Gives frames their numbers as timestamps, and packets the timestamps of their frames.

    Encoders of MPEG-1, MPEG-2 and others need a time base of one frame, or one that is coarser than the
    input's.
    """

    def __init__(self, rate: Fraction, time_base: Fraction) -> None:
        """``rate`` is in frames per second, ``time_base`` is that of the packets to return."""
        self.time_base = 1 / rate  #: of the encoder
        self._packet_base = time_base
        self._frame_ticks = max(1, round(1 / rate / time_base))
        self._count = 0
        self._times: dict[int, int] = {}  #: of the frames whose packets are still to come

    def number(self, video: VideoFrame) -> None:
        """Replace the timestamp of the next frame, which is in ticks of the packets' time base."""
        assert video.pts is not None
        self._times[self._count] = video.pts
        video.pts, video.time_base, video.duration = self._count, self.time_base, 1
        self._count += 1

    def restore(self, packets: Iterable[Packet]) -> list[Packet]:
        """Give the encoder's next packets, in coding order, the timestamps of their frames."""
        packets = list(packets)
        for packet in packets:
            assert packet.pts is not None, "encoders give every packet its pts"
            number = packet.dts
            packet.pts = self._times[packet.pts]
            if number is not None:
                packet.dts = self._time(number)
                for past in [known for known in self._times if 0 < known < number]:
                    del self._times[past]
            packet.time_base, packet.duration = self._packet_base, self._frame_ticks
        return packets

    def _time(self, number: int) -> int:
        """The time of a frame, negative ones before the first included."""
        return self._times[max(0, number)] + min(0, number) * self._frame_ticks
