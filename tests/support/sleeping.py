"""A worker of a cluster that sleeps for as long as its work would take: what is left is scheduling."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from vidrestore.cluster.parcels import Parcel, Part, parts
from vidrestore.cluster.rendering import Made
from vidrestore.cluster.sightings import CHUNK, Sighting
from vidrestore.measure.speed.cluster_model import Costs, Shape


class SleepingRestorer:
    """Has the methods of :class:`vidrestore.cluster.actor.Restorer`. A film says how long its work takes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._parcel = Parcel()
        self._portion: Any = None

    def about(self) -> tuple[str, str, dict[str, str]]:
        import ray

        return ray.get_runtime_context().get_node_id(), "a machine", {}

    def join(self, film: Any, recording: Any) -> tuple[str, bool]:
        return "seen", True

    def find(self, film: Any, state: Any) -> Iterator[Part]:
        shape: Shape = film.shape
        for first in range(0, shape.frames, CHUNK):
            numbers = range(first, min(first + CHUNK, shape.frames))
            if first:  # the first comes at once: it says that the rest begins
                time.sleep(len(numbers) * film.costs.find)
            yield from parts([Sighting(number, False, None, 0) for number in numbers])

    def hear(self, part: Part) -> None:
        self._portion = self._parcel.add(part)

    def render(self, film: Any) -> Iterator[Made]:
        shape, costs, portion = film.shape, film.costs, self._portion
        first, stop = portion.frames.start, portion.frames.stop
        around = min(first, shape.context) + min(shape.frames - stop, shape.context)
        time.sleep(costs.open + around * (costs.decode + costs.context))
        for begin in portion.frames[:: portion.length]:
            frames = min(portion.length, stop - begin)
            time.sleep(frames * costs.restore)
            segment: Any = SimpleNamespace(frames=frames, info=[])
            yield Made(begin, segment, 0.0)


def sleeping_film(shape: Shape, costs: Costs) -> Any:
    """A film of this shape, whose work takes so long."""
    options = SimpleNamespace(input=SimpleNamespace(name="film.mkv"))
    return SimpleNamespace(name="film", options=options, folder="", key={}, shape=shape, costs=costs)
