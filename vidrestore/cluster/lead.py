"""Leads the restoration of one film by several workers. Knows nothing of Ray."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import DeviceError
from ..media.output.segments import Segment
from ..stages.portion import Portion
from .collector import LONGEST, Collector
from .crew import Claim, Crew, LostError, Worker
from .film import Film, RefusedError
from .rendering import Count, Made
from .sightings import Sighting
from .told import Piece, Said

log = logging.getLogger(__name__)

#: Times that one segment may fail before the run ends with its error.
MAX_FAILED = 2
#: Workers that may end at one segment, or at the analysis, before the run ends.
MAX_LOST = 5
#: Portions in a row that may fail on one worker, while others do them, before it gets no more.
_MAX_IN_A_ROW = 2
#: Segments that may be ready and wait, at most: what is known of their frames is in memory.
_MAX_READY = 256
#: Seconds between two looks at what has changed.
_POLL = 0.05


@dataclass
class Share:
    """What one worker did."""

    segments: int = 0
    frames: int = 0
    seconds: float = 0.0


class Taker(Protocol):
    """Where complete segments go, with what comes with them."""

    def take(self, made: Made, worker: str) -> Segment:
        """Take a segment, in whatever order they come. Returns it where it is kept. Raises OutputError."""
        ...

    def take_piece(self, piece: Piece, worker: str) -> None:
        """Take the next piece of the segment that a worker is to pass on next. Raises OutputError."""
        ...

    def drop_pieces(self, worker: str) -> None:
        """A worker will not complete the segment that it has sent pieces of."""
        ...

    def save_state(self, frame: int, state: Mapping[str, Any]) -> None:
        """Save what a later run needs to resume at a frame."""
        ...


@dataclass
class _Work:
    """A portion that is to be done, or done again."""

    portion: Portion
    avoid: set[Worker] = field(default_factory=set)  #: workers that it failed on


class Lead:
    """Leads the restoration of one film: collects what the analysis tells, gives portions to workers, gives
    them again if they fail, and passes complete segments on."""

    def __init__(
        self,
        film: Film,
        crew: Crew,
        collector: Collector,
        taker: Taker,
        analyse: Callable[[Mapping[str, Any] | None], AsyncIterator[Sequence[Sighting]]],
        *,
        expected: int | None = None,
        state: Mapping[str, Any] | None = None,
        told: Callable[[int, int], None] = lambda frames, faces: None,
    ) -> None:
        """
        Args:
            film: What is restored.
            crew: The workers.
            collector: What becomes portions.
            taker: Takes segments.
            analyse: Begins the analysis at a state: yields what is known of the next frames.
            expected: How many frames there are to restore, if that is known.
            state: Where the analysis begins; None: at the beginning.
            told: Called again and again with the numbers of frames and faces done so far; may raise an
                exception to end the run.
        """
        self.film = film
        self.shares: dict[str, Share] = {}  #: by worker
        self._crew = crew
        self._collector = collector
        self._taker = taker
        self._analyse = analyse
        self._expected = expected
        self._state = state
        self._told = told
        self._claim = Claim(film.options.input.name, left=expected or 1)
        self._again = deque[_Work]()
        self._running = 0
        self.faces = 0  #: restored in complete segments
        self._frames = 0  # of complete segments
        self._counts: dict[Worker, Count] = {}
        self._failed = Counter[int]()  # by the first frame of a segment
        self._lost = Counter[int]()
        self._in_a_row = Counter[Worker]()
        self._said = set[str]()

    async def run(self) -> None:
        """Restore all that is wanted. Raises VidrestoreError."""
        self._crew.enter(self._claim)
        tasks: set[asyncio.Future[Any]] = set(map(asyncio.ensure_future, (self._listen(), self._tell())))
        try:
            while not self._done:
                for task in [task for task in tasks if task.done()]:
                    tasks.discard(task)
                    task.result()
                if self._again or self._collector.ready:
                    claimed = asyncio.ensure_future(self._crew.acquire(self._claim))
                    tasks.add(claimed)
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    if not claimed.done():
                        claimed.cancel()
                        await asyncio.wait({claimed})
                    tasks.discard(claimed)
                    if not claimed.cancelled():
                        tasks.add(asyncio.ensure_future(self._work(claimed.result())))
                else:
                    await asyncio.wait(tasks, timeout=_POLL, return_when=asyncio.FIRST_COMPLETED)
                self._claim.left = max(1, (self._expected or self._collector.frames) - self._frames)
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)
            self._crew.leave(self._claim)

    @property
    def _done(self) -> bool:
        return self._collector.done and not self._again and not self._running

    async def _listen(self) -> None:
        """Collect what the analysis tells; begin it again where it stopped if its worker ends."""
        last, lost = -1, 0
        bound = max(self._crew.size, min(_MAX_READY, LONGEST * self._crew.size))
        while True:
            try:
                async for sightings in self._analyse(self._state):
                    self._collector.add(new := [each for each in sightings if each.number > last or last < 0])
                    for each in new:
                        if each.boundary is not None and each.state:
                            self._state = each.state
                            self._taker.save_state(each.boundary, each.state)
                        last, lost = max(last, each.number), 0
                    while self._collector.ready > bound:
                        await asyncio.sleep(_POLL)
                break
            except LostError as error:
                lost += 1
                if lost == MAX_LOST:
                    raise DeviceError(
                        f"the worker that finds faces in {self._claim.film} ended {lost} times: {error}"
                    ) from None
                log.warning("the worker that finds faces in %s has ended: %s", self._claim.film, error)
        self._collector.end()

    async def _tell(self) -> None:
        """Tell how far it is, until everything is done."""
        while not self._done:
            frames = self._frames + sum(count.frames for count in self._counts.values())
            faces = self.faces + sum(count.faces for count in self._counts.values())
            self._told(frames, faces)
            await asyncio.sleep(2 * _POLL)

    async def _work(self, worker: Worker) -> None:
        """Let a worker do one portion."""
        work = self._next(worker)
        if work is None:  # what is left failed on this worker: another is to try it
            self._crew.release(worker, self._claim)
            await asyncio.sleep(_POLL)
            return
        self._running += 1
        try:
            await prepare(worker, self.film)
            await self._render(worker, work)
        except asyncio.CancelledError:
            worker.dismiss()
            self._crew.lose(worker, self._claim)
            raise
        except LostError as error:
            log.warning("%s has ended: %s", worker.name, error)
            worker.dismiss()  # it may only be out of reach, and hold what its successor needs
            self._crew.lose(worker, self._claim)
            self._retry(work, self._lost, MAX_LOST, error)
        except RefusedError as error:
            self._again.appendleft(work)
            self._crew.refuse(worker, self._claim, str(error))
        except Exception as error:
            self._crew.release(worker, self._claim)
            work.avoid.add(worker)
            self._retry(work, self._failed, MAX_FAILED, error)
            self._in_a_row[worker] += 1
            if self._in_a_row[worker] == _MAX_IN_A_ROW and self._crew.size > len(self._claim.refused) + 1:
                self._claim.refused.add(worker)
                log.warning("%s gets no more of %s: %s", worker.name, self._claim.film, error)
        else:
            self._in_a_row[worker] = 0
            self._crew.release(worker, self._claim)
        finally:
            self._running -= 1
            self._counts.pop(worker, None)
            self._taker.drop_pieces(worker.name)

    async def _render(self, worker: Worker, work: _Work) -> None:
        async for item in worker.render(self.film, work.portion):
            if isinstance(item, Count):
                self._counts[worker] = item
            elif isinstance(item, Said):
                if item.text not in self._said:
                    self._said.add(item.text)
                    log.log(item.level, "%s", item.text)
            elif isinstance(item, Piece):
                self._taker.take_piece(item, worker.name)
            elif isinstance(item, Made):
                self._counts.pop(worker, None)
                segment = self._taker.take(item, worker.name)
                frames = segment.frames
                self._frames += frames
                self.faces += sum(info["faces"] for info in segment.info)
                share = self.shares.setdefault(worker.name, Share())
                share.segments += 1
                share.frames += frames
                share.seconds += item.seconds
                left = range(item.first + frames, work.portion.frames.stop)
                if left:
                    work.portion = work.portion.part(left)
                else:
                    return

    def _next(self, worker: Worker) -> _Work | None:
        """The next portion for a worker: one that failed on another before new ones."""
        for work in self._again:
            others = self._crew.size - len(self._claim.refused)
            if worker not in work.avoid or others <= len(work.avoid):
                self._again.remove(work)
                return work
        longest = min(LONGEST, self._collector.ready // self._crew.size)
        portion = self._collector.take(max(1, longest))
        return _Work(portion) if portion else None

    def _retry(self, work: _Work, counter: Counter[int], limit: int, error: Exception) -> None:
        """Give a portion again, its first segment by itself. Raises ``error`` if that failed too often."""
        first = work.portion.frames.start
        counter[first] += 1
        if counter[first] >= limit:
            if not isinstance(error, LostError):
                raise error
            frames = work.portion.frames
            raise DeviceError(
                f"workers ended {limit} times while they restored frames {first} to "
                f"{min(first + work.portion.length, frames.stop) - 1} of {self._claim.film}: {error}"
            )
        rest = range(first + work.portion.length, work.portion.frames.stop)
        if rest:
            self._again.appendleft(_Work(work.portion.part(rest)))
            work.portion = work.portion.part(range(first, rest.start))
        self._again.appendleft(work)


async def prepare(worker: Worker, film: Film) -> None:
    """Let a worker take part in a film, and send it the input if it does not see it. Raises RefusedError,
    OutputError or LostError."""
    if not await worker.join(film):
        await worker.send(film)
        if not await worker.join(film):
            raise RefusedError("it cannot read the input that it was sent")
