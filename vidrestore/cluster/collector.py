"""Collects what is told of frames until the segments that depend on them can be restored."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from ..faces.recorded.given_source import Given
from ..media.decode.fingerprint import FrameFingerprint
from ..stages.portion import Portion
from ..stages.restoration import CONTEXT
from ..stages.stretches import Stretches
from .sightings import Sighting

#: Segments that one worker restores in one go at most. Each portion needs frames around it, which cost time;
#: and while several films want workers, one is not to wait long for the portion of another.
LONGEST, LONGEST_SHARED = 32, 8
#: Segments for which a worker that is alone waits while more can come: their context is then a few percent.
#: Several workers share them, as they would wait longer, and have less to do at the end.
_LEAST = 8


def least_of(workers: int) -> int:
    """For how many segments each of so many ``workers`` waits."""
    return max(1, _LEAST // workers)


class Collector:
    """Makes portions of the frames of one film, in their order. A segment is ready once the faces of its
    frames and of their context are final.

    >>> collector = Collector(10, Stretches.after(0), context=2)
    >>> collector.add(Sighting(number, False, None, 0) for number in range(23))
    >>> collector.ready, collector.take(8).frames, collector.take(8)
    (2, range(0, 20), None)
    >>> collector.end()
    >>> collector.take(8).frames, collector.frames
    (range(20, 23), 23)
    """

    def __init__(self, length: int, wanted: Stretches, *, context: int = CONTEXT) -> None:
        """``length`` is that of segments; ``wanted`` are the frames to restore."""
        self._length = length
        self._wanted = wanted
        self._context = context
        self._given: dict[int, Given] = {}
        self._marks: dict[int, FrameFingerprint] = {}
        self._ready = deque[range]()
        self._next = 0  # the first frame of the segment that is not ready yet
        self._ended = False
        self.frames = 0  #: so far, those of the context around the restored part not counted
        self.tracks = 0  #: that had a face so far

    @property
    def ready(self) -> int:
        """How many segments can be restored."""
        return len(self._ready)

    @property
    def done(self) -> bool:
        """Whether all segments have been taken."""
        return self._ended and not self._ready

    def has(self, least: int) -> bool:
        """Whether so many segments that follow each other can be restored, or fewer that no other will
        follow."""
        stop = None
        for count, frames in enumerate(self._ready, 1):
            if count == least or (stop is not None and frames.start != stop):
                return True
            stop = frames.stop
        return stop is not None and (self._ended or stop not in self._wanted)

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Take what is known of the next frames."""
        for sighting in sightings:
            if sighting.given:
                self._given[sighting.number] = sighting.given
            if sighting.boundary is not None and sighting.mark:
                self._marks[sighting.boundary] = sighting.mark
            if not sighting.context:
                self.frames = sighting.number + 1
            self.tracks = max(self.tracks, sighting.tracks)
            while (
                self._next + self._length <= self.frames
                and sighting.number >= self._next + self._length + self._context - 1
            ):
                self._make_ready(self._next + self._length)

    def end(self) -> None:
        """There are no more frames."""
        while self._next < self.frames:
            self._make_ready(min(self._next + self._length, self.frames))
        self._ended = True

    def take_share(self, workers: int, longest: int) -> Portion | None:
        """What one of so many ``workers`` is to restore next, ``longest`` segments at most; None if it is to
        wait."""
        least = least_of(workers)
        if not self.has(least):
            return None
        return self.take(min(longest, max(self.ready // workers, 1 if self._ended else least)))

    def take(self, longest: int) -> Portion | None:
        """The next segments that are ready and follow each other, ``longest`` at most; None if there is
        none."""
        if not self._ready:
            return None
        frames = self._ready.popleft()
        firsts = [frames.start]
        while self._ready and len(firsts) < longest and self._ready[0].start == frames.stop:
            following = self._ready.popleft()
            firsts.append(following.start)
            frames = range(frames.start, following.stop)
        portion = Portion(
            frames=frames,
            length=self._length,
            marks={first: self._marks[first] for first in firsts if first in self._marks},
            faces={
                number: self._given[number]
                for number in range(frames.start - self._context, frames.stop + self._context)
                if number in self._given
            }
            if self._given
            else None,
        )
        self._forget()
        return portion

    def _make_ready(self, stop: int) -> None:
        if self._next in self._wanted:
            self._ready.append(range(self._next, stop))
        self._next = stop
        self._forget()

    def _forget(self) -> None:
        """Drop what no segment depends on that has not been taken."""
        first = self._ready[0].start if self._ready else self._next
        for known in (self._given, self._marks):
            past = first - self._context if known is self._given else first
            while known and (number := next(iter(known))) < past:
                del known[number]
