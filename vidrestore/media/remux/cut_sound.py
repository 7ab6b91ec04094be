"""Sound that an edit list has cut away, which is not copied."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from av.packet import Packet

#: Seconds of sound before the beginning that are kept although they are not heard: a codec's own delay.
_PRIMING = Fraction(1, 5)


def without_cut_sound(packets: Iterable[Packet], begin: Fraction) -> Iterator[Packet]:
    """Yield ``packets`` in their order, but not those of audio that an edit list leaves out
    (ISO/IEC 14496-12, section 8.6.6). ``begin`` is where the file begins, in seconds.

    Before each edit FFmpeg reads a second more, for decoders to begin with. It marks these packets to be
    discarded, and gives them times before the edit, at which others have been.
    """
    ends: dict[int, Fraction] = {}
    for packet in packets:
        if packet.stream.type == "audio" and packet.pts is not None:
            start = packet.pts * packet.time_base
            if packet.is_discard and start < ends.get(packet.stream_index, begin - _PRIMING):
                continue
            ends[packet.stream_index] = start + (packet.duration or 0) * packet.time_base
        yield packet
