"""Whether the clock of a transport or program stream jumps, judged by samples of it all over the file."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice, pairwise
from statistics import median

import av.error
from av.container import InputContainer

from .clock import AHEAD, BEHIND, stamp_of

#: Places in the file at which its clock is read, and packets read at each until one has a timestamp.
_SAMPLES, _PACKETS = 32, 40
#: How many times longer than usual the time between two places may be: bit rates vary.
_TOLERANCE = 20


def is_steady(container: InputContainer, stream: int) -> bool:
    """Whether the clock of a stream runs on from the beginning of an open file to its end, so that the file
    has a length and a time is a place in it. A jump within a small part of the file may not be found."""
    times = []
    for number in range(_SAMPLES):
        with suppress(av.error.FFmpegError, StopIteration):
            container.seek(container.size * number // _SAMPLES, unsupported_byte_offset=True)
            packets = islice(container.demux(container.streams[stream]), _PACKETS)
            times.append(next(stamp for packet in packets if (stamp := stamp_of(packet)) is not None))
    steps = [later - earlier for earlier, later in pairwise(times)]
    longest = max(AHEAD, _TOLERANCE * median(steps)) if steps else 0
    return all(-BEHIND <= step <= longest for step in steps)
