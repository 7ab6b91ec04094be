"""A cluster whose workers are in this process, so that tests need neither Ray nor other processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from vidrestore.cluster.actor import Restorer, forget
from vidrestore.cluster.cluster import Cluster
from vidrestore.cluster.crew import Crew
from vidrestore.cluster.film import Film
from vidrestore.cluster.lead import prepare
from vidrestore.cluster.parcels import Parcel, parts
from vidrestore.cluster.placing import Placing
from vidrestore.cluster.told import Said
from vidrestore.faces.recorded.recording import Recording
from vidrestore.stages.portion import Portion

#: Given the number of a worker and of an item that it is to pass on, raises what goes wrong then.
Fault = Callable[[int, int], None]


def no_fault(worker: int, item: int) -> None:
    """Nothing goes wrong."""


class InProcessWorker:
    """Does what an actor would."""

    def __init__(self, engine: InProcessEngine, number: int) -> None:
        self.name = self.machine = f"worker {number}"
        self._engine = engine
        self._number = number
        self._restorer = Restorer()
        self._items = 0
        self.dismissed = False

    def has_begun(self) -> bool:
        return True

    async def join(self, film: Film) -> bool:
        return bool(self._restorer.join(film, self._engine.recordings.get(film.name))[0])

    async def send(self, film: Film) -> None:
        self._engine.sent = True
        content = film.options.input.read_bytes()
        half = len(content) // 2
        self._restorer.receive(film, content[:half], begins=True, ends=False)
        self._restorer.receive(film, content[half:], begins=False, ends=True)

    async def render(self, film: Film, portion: Portion) -> AsyncIterator[Any]:
        self._engine.portions.append((self._number, portion.frames))
        for part in parts(portion):
            self._restorer.hear(part)
        async for item in self._passed_on(self._restorer.render(film)):
            yield item

    async def find(self, film: Film, state: Any) -> AsyncIterator[Any]:
        parcel = Parcel()
        async for item in self._passed_on(self._restorer.find(film, state)):
            if isinstance(item, Said):
                self._engine.said.append(item.text)
            elif sightings := parcel.add(item):
                yield sightings

    def dismiss(self) -> None:
        self.dismissed = True

    async def _passed_on(self, items: Iterator[Any]) -> AsyncIterator[Any]:
        try:
            for item in items:
                self._items += 1
                self._engine.fault(self._number, self._items)
                yield item
                await asyncio.sleep(0)
        finally:
            items.close()  # type: ignore[attr-defined]


class InProcessEngine:
    """Begins such workers."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.recordings: dict[str, Recording] = {}
        self.shared = False  #: whether a whole recording was
        self.portions: list[tuple[int, range]] = []  #: which worker was given which frames
        self.workers: list[InProcessWorker] = []
        self.sent = False  #: whether the input was sent to a worker
        self.said: list[str] = []  #: what was said while faces were found

    def share(self, film: Film, recording: Recording) -> None:
        self.recordings[film.name], self.shared = recording, True

    def end(self, film: Film) -> None:
        self.recordings.pop(film.name, None)
        forget(film)

    def hire(self, number: int) -> InProcessWorker:
        self.workers.append(InProcessWorker(self, number))
        return self.workers[-1]

    async def find(self, film: Film, state: Any) -> AsyncIterator[Any]:
        analyst = InProcessWorker(self, 0)
        await prepare(analyst, film)
        async for sightings in analyst.find(film, state):
            yield sightings


def in_process(workers: int, fault: Fault = no_fault) -> Cluster:
    """A cluster of so many workers. Number 0 finds faces."""
    cluster = Cluster(None, Placing(0, 1, on_gpus=False))
    engine: Any = InProcessEngine(fault)
    cluster.engine = engine
    cluster.crew = Crew(engine.hire, workers)
    return cluster
