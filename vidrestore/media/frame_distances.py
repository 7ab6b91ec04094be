"""How far apart the first frames of a video lie, to tell whether the rate that its header states is true."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from statistics import median

import av.error
from av.container import InputContainer
from av.stream import Discard
from av.video.stream import VideoStream

#: How many packets are read.
_PACKETS = 48
#: How far a stated rate may be from that of the packets. A factor of two is normal: a packet may hold one
#: field, and a frame may be shown for three; and a variable rate may begin faster or slower than on average.
_TOLERANCE = Fraction(5, 2)
#: The largest denominator of a measured rate: that of 24000/1001.
_MAX_DENOMINATOR = 1001


@dataclass(frozen=True)
class FrameDistances:
    """Seconds from one frame to the next, according to a video's first packets; None if they do not tell."""

    typical: Fraction | None
    mean: Fraction | None
    duration: Fraction | None  #: of a frame, as packets state it

    @classmethod
    def of(cls, times: Sequence[int], durations: Sequence[int], time_base: Fraction) -> FrameDistances:
        """The distances of packets with these timestamps and durations, in ticks of ``time_base``."""
        gaps = [b - a for a, b in pairwise(sorted(set(times)))]
        known = [duration for duration in durations if duration > 0]
        return cls(
            typical=Fraction(median(gaps)) * time_base if gaps else None,
            mean=Fraction(sum(gaps), len(gaps)) * time_base if gaps else None,
            duration=Fraction(median(known)) * time_base if known else None,
        )

    @classmethod
    def read(cls, container: InputContainer, stream: VideoStream) -> FrameDistances:
        """Read the first packets of a stream from a file that was just opened for it."""
        times: list[int] = []
        durations: list[int] = []
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        assert stream.time_base is not None  # FFmpeg's demuxers give every stream one
        # Damage is reported where the video is read as a whole.
        with suppress(av.error.FFmpegError, IndexError):
            for packet in islice(container.demux(stream), _PACKETS):
                stamp = packet.pts if packet.pts is not None else packet.dts
                if packet.size and stamp is not None:
                    times.append(stamp)
                    durations.append(packet.duration or 0)
        return cls.of(times, durations, stream.time_base)

    def contradict(self, rate: Fraction) -> bool:
        """Whether frames at ``rate``, in frames per second, would be much closer or farther apart."""
        distances = [d for d in (self.typical, self.mean) if d is not None] or [self.duration]
        return not any(d is None or 1 / _TOLERANCE <= d * rate <= _TOLERANCE for d in distances)

    @property
    def rate(self) -> Fraction | None:
        """Frames per second; None if unknown."""
        for distance in (self.duration, self.mean):
            if distance and not self.contradict(1 / distance):
                return (1 / distance).limit_denominator(_MAX_DENOMINATOR)
        return None
