"""Times of single packets of sound that are wrong, in files whose clock is right."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.packet import Packet

#: Seconds by which a packet may be off the end of the one before: timestamps are rounded, and more is a gap.
_OFF = Fraction(1, 5)


@dataclass(slots=True)
class _Sound:
    """One stream of sound, in seconds."""

    last: Fraction | None = None  #: dts of the packet before
    length: Fraction = Fraction(0)  #: of the packet before, or from the one before that to it
    held: Packet | None = None  #: off its place: the next packet tells whether the others follow it

    def place(self) -> Fraction:
        """Where the next packet should begin."""
        assert self.last is not None
        return self.last + self.length

    def take(self, packet: Packet) -> None:
        """Note a packet whose time is settled."""
        time = _time(packet)
        if packet.duration:
            self.length = packet.duration * packet.time_base
        elif self.last is not None:
            self.length = max(Fraction(0), min(time - self.last, _OFF))
        self.last = time


class SoundTimes:
    """Gives a packet of sound whose time leaps or falls back the place behind the one before, if the packets
    after it go on from there. If they follow it, there is a gap or the clock was set, and times are kept."""

    def __init__(self) -> None:
        self.moved = 0  #: packets that got another time
        self._streams: dict[int, _Sound] = {}

    def __call__(self, packets: Iterable[Packet]) -> Iterator[Packet]:
        """The packets, of all streams; one of sound may come later, after some of other streams."""
        for packet in packets:
            if packet.stream.type != "audio" or packet.dts is None:
                yield packet
            else:
                yield from self._sound(self._streams.setdefault(packet.stream_index, _Sound()), packet)
        for sound in self._streams.values():
            if sound.held is not None:
                yield sound.held

    def _sound(self, sound: _Sound, packet: Packet) -> Iterator[Packet]:
        if (held := sound.held) is not None:
            sound.held = None
            place = sound.place()
            length = held.duration * held.time_base if held.duration else sound.length
            if abs(_time(packet) - (place + length)) <= _OFF:
                self.moved += 1
                held.dts = held.pts = round(place / held.time_base)
            sound.take(held)
            yield held
        if sound.last is not None and abs(_time(packet) - sound.place()) > _OFF:
            sound.held = packet
            return
        sound.take(packet)
        yield packet


def _time(packet: Packet) -> Fraction:
    assert packet.dts is not None
    return packet.dts * packet.time_base
