"""Leads the restoration of one film by several workers. Knows nothing of Ray."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from ..errors import DeviceError
from ..media.output.segments import Segment
from .collector import LONGEST, LONGEST_SHARED, Collector, least_of
from .crew import Claim, Crew, LostError, Worker
from .film import Film, JoiningError, RefusedError
from .rendering import Count, Made
from .retries import Retries, Work
from .sightings import Sighting
from .told import Piece, Said

log = logging.getLogger(__name__)

#: Times that the analysis may end in a row before the run ends.
_MAX_ENDED = 5
#: Workers that may have ended before they take part, for each that there is, before the run ends.
_MAX_IDLE = 3
#: Portions in a row that may fail on one worker, while other machines do them, before it gets no more.
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

    def drop_pieces(self, worker: str) -> None:
        """A worker will not complete the segment that it has sent pieces of."""

    def save_state(self, frame: int, state: Mapping[str, Any]) -> None:
        """Save what a later run needs to resume at a frame."""


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
        self._least = least_of(crew.size)
        self._collector = collector
        self._taker = taker
        self._analyse = analyse
        self._expected = expected
        self._state = state
        self._told = told
        self._claim = Claim(film.options.input.name, left=expected or 1)
        self._again = Retries(self._claim.film)
        self._acquired = set[Worker]()  # that have no work yet
        self._running = 0
        self.faces = 0  #: restored in complete segments
        self._frames = 0  # of complete segments
        self._counts: dict[Worker, Count] = {}
        self._lost_idle = 0  # workers that had ended before they took part, since a segment was complete
        self._in_a_row = Counter[Worker]()
        self._said = set[str]()

    async def run(self) -> None:
        """Restore all that is wanted. Raises VidrestoreError."""
        self._crew.enter(self._claim)
        tasks: set[asyncio.Future[Any]] = set(map(asyncio.ensure_future, (self._listen(), self._tell())))
        try:
            while True:
                for task in [task for task in tasks if task.done()]:
                    tasks.discard(task)
                    task.result()
                if self._done:  # only now: the last segment may have failed
                    break
                if self._again or self._collector.has(self._least):
                    claimed = asyncio.ensure_future(self._acquire())
                    tasks.add(claimed)
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                    if not claimed.done():
                        claimed.cancel()
                        await asyncio.wait({claimed})
                        tasks.discard(claimed)
                    tasks.update(asyncio.ensure_future(self._work(worker)) for worker in self._acquired)
                    await asyncio.sleep(0)  # they take what they were acquired for
                else:
                    await asyncio.wait(tasks, timeout=_POLL, return_when=asyncio.FIRST_COMPLETED)
                self._claim.left = max(1, (self._expected or self._collector.frames) - self._frames)
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks, return_exceptions=True)
            for worker in self._acquired:
                self._crew.release(worker, self._claim)
            self._crew.leave(self._claim)

    async def _acquire(self) -> None:
        self._acquired.add(await self._crew.acquire(self._claim))

    @property
    def _done(self) -> bool:
        return self._collector.done and not self._again and not self._running

    async def _listen(self) -> None:
        """Collect what the analysis tells; begin it again where it stopped if its worker ends."""
        last, lost = -1, 0
        bound = max(self._least, self._crew.size, min(_MAX_READY, LONGEST * self._crew.size))
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
                if lost == _MAX_ENDED:
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
        self._acquired.remove(worker)
        work = self._next(worker)
        if work is None:  # what is left failed on this worker: another is to try it
            self._crew.release(worker, self._claim)
            await asyncio.sleep(_POLL)
            return
        self._running += 1
        try:
            if await self._prepare(worker, work):
                await self._restore(worker, work)
        except asyncio.CancelledError:
            self._dismiss(worker)
            raise
        finally:
            self._running -= 1
            self._counts.pop(worker, None)
            self._taker.drop_pieces(worker.name)

    async def _prepare(self, worker: Worker, work: Work) -> bool:
        """Let a worker take part; whether it does. What fails here is no fault of the portion. Raises
        DeviceError."""
        try:
            await prepare(worker, self.film)
        except LostError as error:  # it may have ended long ago, with all of its machine
            self._again.put(work)
            self._lose(worker, error)
            self._lost_idle += 1
            if self._lost_idle >= _MAX_IDLE * self._crew.size:
                raise DeviceError(f"workers end before they restore {self._claim.film}: {error}") from None
        except Exception as error:
            self._again.put(work)
            self._crew.refuse(worker, self._claim, str(error))
        else:
            return True
        return False

    async def _restore(self, worker: Worker, work: Work) -> None:
        """Let a worker restore a portion, and note what fails. Raises what ends the run."""
        try:
            await self._render(worker, work)
        except LostError as error:
            self._lose(worker, error)
            self._again.lost(work, error)
        except RefusedError as error:
            self._again.put(work)
            self._crew.refuse(worker, self._claim, str(error))
        except JoiningError as error:
            self._crew.release(worker, self._claim)
            raise error.cause from None
        except Exception as error:
            self._crew.release(worker, self._claim)
            self._again.failed(work, worker.machine, error)
            self._in_a_row[worker] += 1
            others = self._crew.has_others(self._claim, {worker.machine})
            if self._in_a_row[worker] == _MAX_IN_A_ROW and others:
                self._claim.refused.add(worker)
                log.warning("%s gets no more of %s: %s", worker.name, self._claim.film, error)
        else:
            self._in_a_row[worker] = 0
            self._crew.release(worker, self._claim)

    def _lose(self, worker: Worker, error: LostError) -> None:
        log.warning("%s has ended: %s", worker.name, error)
        self._dismiss(worker)

    def _dismiss(self, worker: Worker) -> None:
        worker.dismiss()  # it may only be out of reach, and hold what its successor needs
        self._crew.lose(worker, self._claim)

    async def _render(self, worker: Worker, work: Work) -> None:
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
                self._lost_idle = 0
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

    def _next(self, worker: Worker) -> Work | None:
        """The next portion for a worker: one that failed on another before new ones."""
        again = self._again.take(worker.machine, partial(self._crew.has_others, self._claim))
        if again:
            return again
        longest = LONGEST_SHARED if self._crew.shared else LONGEST
        portion = self._collector.take_share(self._crew.size, longest)
        return Work(portion) if portion else None


async def prepare(worker: Worker, film: Film) -> None:
    """Let a worker take part in a film, and send it the input if it does not see it. Raises RefusedError,
    OutputError or LostError."""
    if not await worker.join(film):
        await worker.send(film)
        if not await worker.join(film):
            raise RefusedError("it cannot read the input that it was sent")
