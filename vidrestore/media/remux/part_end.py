"""Where reading may stop when the end of a file is not wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

from av.packet import Packet
from av.stream import Disposition, Stream

#: Seconds by which files commonly hold the packets of one stream behind those of another: subtitles and
#: camera data follow the sound and video of their time.
_BEHIND = Fraction(2)
#: The same at most, in a file whose streams have all begun.
_FAR_BEHIND = Fraction(30)
#: Packets in a row that must say so: a single one may have a wrong time.
_ENOUGH = 3


def until_end(packets: Iterable[Packet], end: Fraction | None, streams: Iterable[Stream]) -> Iterator[Packet]:
    """Yield ``packets`` until no more from before ``end``, in seconds, are to be expected: all of them if it
    is None.

    That is where each of the sounds and videos among ``streams`` has passed it by two seconds, or, should one
    of them end before, where another has passed it by half a minute. A stream of which there has been nothing
    yet may follow as a whole.
    """
    timed = {
        stream.index
        for stream in streams
        if stream.type in ("audio", "video") and Disposition.attached_pic not in stream.disposition
    }
    # How many packets in a row of each stream that has had any.
    passed: Counter[int] = Counter()
    far: Counter[int] = Counter()
    for packet in packets:
        yield packet
        index = packet.stream_index
        if end is None or index not in timed or packet.dts is None:
            continue
        time = packet.dts * packet.time_base
        passed[index] = passed[index] + 1 if time >= end + _BEHIND else 0
        if time < end:
            far.clear()  # it follows behind the others
        far[index] = far[index] + 1 if time >= end + _FAR_BEHIND else 0
        if len(passed) == len(timed) and (far[index] >= _ENOUGH or min(passed.values()) >= _ENOUGH):
            return
