"""Streams that are copied packet by packet."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

import av.error
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from ..containers import Container
from ..probe import open_input
from .stream_plan import add_copy

#: FFmpeg's bitstream filter that turns the header of every packet into one of the stream.
_ADTS_FILTER = "aac_adtstoasc"
#: How many packets are read for the first whole one.
_TRIES = 50


class PacketCopy:
    """Passes packets on unchanged, but for the headers of AAC in transport streams.

    There each packet has one (ADTS), and the stream has none; elsewhere it is the other way round (ISO/IEC
    14496-3, 1.6.2.1 and 1.A.3.2). FFmpeg's muxers convert it too, but go back to the file's header for that,
    which an output that cannot seek does not allow. So the first packet is read beforehand.
    """

    def __init__(self, stream: Stream, output: OutputContainer, container: Container, path: Path) -> None:
        """Add a stream to ``output`` that takes the packets of ``stream``, which is one of the file ``path``.
        Raises InputError, or ValueError if ``container`` cannot hold it."""
        self.target = add_copy(stream, output, container)
        self.damaged = 0  #: packets that were left out because their header cannot be read
        self._filter, header = _without_adts(stream, path)
        if header:
            self.target.codec_context.extradata = header

    def convert(self, packet: Packet) -> Iterable[Packet]:
        """The packet, for the stream of OUT; nothing if it is damaged."""
        copies, time_base = [packet], packet.time_base
        if self._filter is not None:
            try:
                copies = self._filter.filter(packet)
            except av.error.FFmpegError:
                self.damaged += 1
                return ()
        for copy in copies:
            copy.stream, copy.time_base = self.target, time_base
        return copies

    def finish(self) -> Iterable[Packet]:
        """No packets: none are buffered."""
        return ()


def _without_adts(stream: Stream, path: Path) -> tuple[BitStreamFilterContext | None, bytes]:
    """A filter of the packets of a stream of AAC that has no header of its own, and the header that it needs
    without those of its packets; None and nothing for any other stream.

    The filter has read the first packet: it puts the header beside what it reads first, and a muxer that had
    already written one would write it again, over part of the file.
    """
    context = stream.codec_context
    if context is None or context.codec.canonical_name != "aac" or context.extradata:
        return None, b""
    adts = BitStreamFilterContext(_ADTS_FILTER, stream)
    with open_input(path) as source:
        for packet in islice(source.demux(source.streams[stream.index]), _TRIES):
            with suppress(av.error.FFmpegError):
                for copy in adts.filter(packet) if packet.size else ():
                    if copy.has_sidedata("new_extradata"):
                        return adts, bytes(copy.get_sidedata("new_extradata"))
    return None, b""
