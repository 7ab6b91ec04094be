"""Compare the simulation of clusters with Ray: how long a film takes on one, two and three nodes.

    python tests/stress/cluster_speed.py

The nodes are processes on this machine. Their workers sleep for as long as their work would take, so that a
machine with one core is enough; everything else is the program's own: Ray, and who is given what. Seconds
count from the first frame whose faces are known on, when all workers have begun.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.clusters import nodes
from tests.support.sleeping import SleepingRestorer, sleeping_film
from vidrestore.cluster import engine as engines
from vidrestore.cluster.collector import Collector
from vidrestore.cluster.connect import connected
from vidrestore.cluster.crew import Crew
from vidrestore.cluster.lead import Lead
from vidrestore.cluster.placing import Placing
from vidrestore.measure.speed.cluster_model import Costs, Shape, simulate
from vidrestore.stages.stretches import ALL


class Nowhere:
    """Takes segments."""

    def take(self, made: Any, worker: str) -> Any:
        return made.segment

    def take_piece(self, piece: Any, worker: str) -> None: ...

    def drop_pieces(self, worker: str) -> None: ...

    def save_state(self, frame: int, state: Any) -> None: ...


def measured(ray: Any, shape: Shape, costs: Costs, workers: int) -> float:
    """Seconds that Ray takes."""
    engine = engines.Engine(ray, Placing(workers, 1, on_gpus=False))
    crew, film, begun = Crew(engine.hire, workers), sleeping_film(shape, costs), []

    async def analyse(state: Any) -> AsyncIterator[Any]:
        while not all(worker.has_begun() for worker in crew._coming):
            await asyncio.sleep(0.1)
        async for sightings in engine.find(film, state):
            begun.append(time.monotonic())
            yield sightings

    collector = Collector(shape.length, ALL, context=shape.context)
    asyncio.run(Lead(film, crew, collector, Nowhere(), analyse).run())
    seconds = time.monotonic() - begun[0]
    crew.close()
    return seconds


def main() -> None:
    costs = {"find": 0.002, "decode": 0.0001, "context": 0.004, "restore": 0.012, "join": 0.0, "open": 0.2}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2, 3))
    for name, default in costs.items():
        parser.add_argument(f"--{name}", type=float, default=default, help="seconds; default: %(default)s")
    words = parser.parse_args()
    shape, given = Shape(frames=words.frames), Costs(**{name: getattr(words, name) for name in costs})
    engines.Restorer = SleepingRestorer  # type: ignore[misc]
    with nodes(max(words.workers)) as cluster, connected(cluster.address) as ray:
        for workers in words.workers:
            seconds, expected = measured(ray, shape, given, workers), simulate(shape, given, workers).seconds
            print(
                f"{workers} workers: {seconds:.1f} s on Ray, {expected:.1f} s simulated, "
                f"{seconds / expected:.3f} times",
                flush=True,
            )


if __name__ == "__main__":
    main()
