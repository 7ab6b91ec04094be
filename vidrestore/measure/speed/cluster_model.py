"""How long a film takes on a cluster of any size, by a simulation of what limits it.

One film goes through the stages that ``--ray`` has: its faces are found in one pass, in order; a segment is
ready once the context behind it has been searched; workers take portions of ready segments, decode the
context before and after each, and restore; storage serves one request after another; segments are joined in
order. What a stage takes for a frame is measured, see ``docs/machines.md``.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds of one machine, and bytes, for each frame unless it is said otherwise."""

    find: float  #: decode, detect and track
    decode: float
    context: float  #: what a context frame costs besides decoding
    restore: float  #: all that a worker does to a frame of its own, decoding and encoding included
    join: float  #: mux
    begin: float = 0.0  #: of a run, until the first worker is ready
    open: float = 0.0  #: of a portion: to open the input and seek
    read: float = 0.0  #: bytes that a worker reads
    write: float = 0.0  #: bytes of a segment, which are read once more to be joined
    storage: float = float("inf")  #: bytes per second that storage gives to all together


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a film is cut; the defaults are those of a run."""

    frames: int
    length: int = 125  #: frames per segment
    context: int = 83  #: frames to each side that a segment depends on
    longest: int = 32  #: segments in a portion at most
    least: int = 8  #: segments for which a worker that is alone waits; several share them
    most_ready: int = 256  #: segments that may be ready and wait at most


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a simulated run went."""

    seconds: float
    busy: float  #: share of the workers' time in which they restore frames of their own
    limit: (
        str  #: what would have to be faster first: ``workers``, ``finding faces``, ``storage`` or ``joining``
    )


def simulate(shape: Shape, costs: Costs, workers: int) -> Outcome:
    """Simulate one film on so many ``workers``.

    >>> costs = Costs(find=0.01, decode=0.002, context=0.01, restore=0.1, join=0.001)
    >>> [round(simulate(Shape(frames=100_000), costs, n).seconds) for n in (1, 10, 1000)]
    [10061, 1092, 1014]
    """
    firsts = deque(range(0, shape.frames, shape.length))
    least = max(1, shape.least // workers)
    found = costs.begin  # when the last frame that was searched was
    searched = 0
    bound = max(workers, min(shape.most_ready, shape.longest * workers))
    ready: deque[tuple[float, range]] = deque()  # when each segment was, in order
    free = [costs.begin] * workers  # when each worker is
    heapq.heapify(free)
    storage = joined = own = 0.0
    done: dict[int, float] = {}
    following = 0  # the first frame that is to be joined next

    def search(now: float) -> None:
        """Let faces be found until enough segments are ready, or later than ``now``."""
        nonlocal found, searched
        while firsts and len(ready) <= bound and (found <= now or len(ready) < least):
            first = firsts.popleft()
            stop = min(first + shape.length, shape.frames)
            needed = min(stop + shape.context, shape.frames)
            found, searched = found + (needed - searched) * costs.find, needed
            ready.append((found, range(first, stop)))

    while firsts or ready:
        now = heapq.heappop(free)
        search(now)
        begin = max(now, ready[min(least, len(ready)) - 1][0])
        # Workers look at what is ready when they begin.
        waiting = sum(1 for when, _ in ready if when <= begin)
        share = max(waiting // workers, 1 if not firsts and waiting == len(ready) else least)
        taken = [ready.popleft()[1] for _ in range(min(shape.longest, share))]
        around = _around(range(taken[0].start, taken[-1].stop), shape)
        frames = taken[-1].stop - taken[0].start
        storage = max(storage, begin) + (frames + around) * costs.read / costs.storage
        now = max(begin + costs.open, storage) + around * (costs.decode + costs.context)
        for segment in taken:
            now += len(segment) * costs.restore
            own += len(segment) * costs.restore
            # Written by its worker, and read to be joined: in the order of the simulation, not of time.
            storage += 2 * len(segment) * costs.write / costs.storage
            done[segment.start] = max(now, storage)
        heapq.heappush(free, max(now, done[taken[-1].start]))
        while following in done:
            length = min(shape.length, shape.frames - following)
            joined = max(joined, done.pop(following)) + length * costs.join
            following += length
    seconds = max(joined, found)
    return Outcome(seconds, own / (seconds * workers), _limit(shape, costs, workers))


def _limit(shape: Shape, costs: Costs, workers: int) -> str:
    """What takes longest by itself."""
    frames = shape.length * max(1, min(shape.longest, shape.most_ready // workers))
    share = 2 * shape.context / frames  # of context, to frames of a portion's own
    alone = {
        "workers": (costs.restore + share * (costs.decode + costs.context)) / workers,
        "finding faces": costs.find,
        "storage": ((1 + share) * costs.read + 2 * costs.write) / costs.storage,
        "joining": costs.join,
    }
    return max(alone, key=alone.__getitem__)


def _around(frames: range, shape: Shape) -> int:
    """How many frames of context a portion has."""
    return min(frames.start, shape.context) + min(shape.frames - frames.stop, shape.context)
