"""Ray: workers as actors, and what passes between them and the process that leads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from ..errors import OutputError
from ..faces.recorded.recording import Recording
from ..stages.portion import Portion
from .actor import CHUNK, Restorer, forget
from .crew import LostError
from .film import Film, RefusedError
from .placing import ANALYST_GPU, WORKER_GPU, Placing
from .sightings import Sighting

log = logging.getLogger(__name__)

#: Results of a worker that may wait to be fetched, so that the object store stays small.
_WAITING = 4
_POLL = 0.05
#: Seconds that the end of a film waits for machines to delete what they were sent of it.
_PATIENCE = 10.0


class Engine:
    """Begins workers on a cluster that this process is connected to."""

    def __init__(self, ray: Any, placing: Placing) -> None:
        self.ray = ray
        self.placing = placing
        self._recordings: dict[str, Any] = {}  # by film: references into the object store
        self._sending = set[tuple[str, str]]()  # films and machines
        self._sent = set[tuple[str, str]]()  # films, and machines that were sent their input
        self._apart = set[tuple[str, str]]()  # films, and machines that do not see where segments are kept

    def share(self, film: Film, recording: Recording | None) -> None:
        """Let workers have the ``recording`` of the faces of a film."""
        if recording is not None:
            self._recordings[film.name] = self.ray.put(recording)

    def end(self, film: Film) -> None:
        """A film has ended: nothing is kept of it."""
        self._recordings.pop(film.name, None)
        places = {node for name, node in self._sent if name == film.name}
        for known in (self._sent, self._apart):
            known -= {key for key in known if key[0] == film.name}
        done = [self._task_on(node, forget).remote(film) for node in places]
        if done:
            self.ray.wait(done, num_returns=len(done), timeout=_PATIENCE)

    def _task_on(self, node: str, task: Any) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        place = NodeAffinitySchedulingStrategy(node, soft=False)
        return self.ray.remote(task).options(num_cpus=0, max_retries=0, scheduling_strategy=place)

    def hire(self, number: int) -> RayWorker:
        """Begin a worker that restores."""
        share = {"num_gpus": WORKER_GPU} if self.placing.on_gpus else {}
        return RayWorker(self, f"worker {number}", num_cpus=self.placing.cores, **share)

    async def find(self, film: Film, state: Mapping[str, Any] | None) -> AsyncIterator[list[Sighting]]:
        """Let faces be found on a machine that can take part in ``film``. Raises VidrestoreError or
        LostError."""
        from .lead import prepare

        refusing = set[str]()
        while True:
            analyst = self._hire_analyst(refusing)
            try:
                while not analyst.has_begun():
                    await asyncio.sleep(_POLL)
                try:
                    await prepare(analyst, film)
                except RefusedError:
                    refusing.add(analyst.node)
                    if not self._others(refusing):
                        raise
                    continue
                async for sightings in analyst.find(film, state):
                    yield sightings
                return
            finally:
                analyst.dismiss()

    def _hire_analyst(self, refusing: set[str]) -> RayWorker:
        settings: dict[str, Any] = {"num_cpus": 0}
        if self.placing.on_gpus:
            settings["num_gpus"] = ANALYST_GPU
        if refusing:
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

            node = self._others(refusing)[0]
            settings["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node, soft=False)
        return RayWorker(self, "the worker that finds faces", **settings)

    def _others(self, refusing: set[str]) -> list[str]:
        """The ids of the machines that may find faces."""
        resource = "GPU" if self.placing.on_gpus else "CPU"
        return [
            node["NodeID"]
            for node in self.ray.nodes()
            if node["Alive"] and node["Resources"].get(resource) and node["NodeID"] not in refusing
        ]


class RayWorker:
    """A :class:`.crew.Worker` that is an actor."""

    def __init__(self, engine: Engine, name: str, **settings: Any) -> None:
        self.name = name
        self.node = ""  #: the id of its machine, once it has begun
        self._engine = engine
        self._ray = engine.ray
        actor = self._ray.remote(Restorer)
        self._actor = actor.options(max_restarts=0, max_task_retries=0, **settings).remote()
        self._where = self._actor.where.options(name=f"{name} begins").remote()

    def has_begun(self) -> bool:
        """See :class:`.crew.Worker`."""
        if not self.node:
            if not self._ray.wait([self._where], timeout=0)[0]:
                return False
            try:
                self.node, machine = self._ray.get(self._where)
            except self._ray.exceptions.RayError as error:
                raise _translated(self._ray, error) from None
            self.name = f"{self.name} on {machine}"
        return True

    async def join(self, film: Film) -> bool:
        """See :class:`.crew.Worker`."""
        recording = self._engine._recordings.get(film.name)
        call = self._actor.join.options(name=f"{film.options.input.name}: {self.name} joins")
        has_input, shared = await self._get(call.remote(film, recording))
        if not has_input:
            log.info("%s does not see %s, and is sent it", self.name, film.options.input)
        if not shared and (film.name, self.node) not in self._engine._apart:
            self._engine._apart.add((film.name, self.node))
            log.info("%s does not see %s, and sends segments back", self.name, film.folder)
        return has_input

    async def send(self, film: Film) -> None:
        """See :class:`.crew.Worker`. One machine is sent a file once."""
        key = (film.name, self.node)
        if key in self._engine._sending:
            while key in self._engine._sending:
                await asyncio.sleep(_POLL)
            return
        self._engine._sending.add(key)
        path = film.options.input
        try:
            if not path.is_file():
                raise RefusedError(f"it does not see {path}, whose files cannot be sent")
            size, begin = path.stat().st_size, 0
            call = self._actor.receive.options(name=f"{path.name} is sent to {self.name}")
            with path.open("rb") as file:
                while begin < size:
                    content = await asyncio.to_thread(file.read, CHUNK)
                    if not content:
                        raise OutputError(f"{path} became shorter while it was sent to {self.name}")
                    end = begin + len(content)
                    await self._get(call.remote(film, content, begins=not begin, ends=end >= size))
                    begin = end
            self._engine._sent.add(key)
        finally:
            self._engine._sending.discard(key)

    def render(self, film: Film, portion: Portion) -> AsyncIterator[Any]:
        """See :class:`.crew.Worker`."""
        frames = portion.frames
        name = f"{film.options.input.name}: frames {frames.start} to {frames.stop - 1}"
        return self._stream(self._actor.render, name, film, portion)

    def find(self, film: Film, state: Mapping[str, Any] | None) -> AsyncIterator[list[Sighting]]:
        """Let it find the faces of ``film`` from ``state`` on. Raises VidrestoreError or LostError."""
        return self._stream(self._actor.find, f"{film.options.input.name}: faces", film, state)

    def dismiss(self) -> None:
        """See :class:`.crew.Worker`."""
        with suppress(ValueError, self._ray.exceptions.RayError):  # its machine may be gone
            self._ray.kill(self._actor)

    async def _stream(self, method: Any, name: str, *given: Any) -> AsyncIterator[Any]:
        settings = {"num_returns": "streaming", "_generator_backpressure_num_objects": _WAITING}
        async for reference in method.options(name=name, **settings).remote(*given):
            yield await self._get(reference)

    async def _get(self, reference: Any) -> Any:
        try:
            return await reference
        except self._ray.exceptions.RayError as error:
            raise _translated(self._ray, error) from None


def _translated(ray: Any, error: Exception) -> Exception:
    """The exception that a task raised in its worker; LostError if the worker has ended."""
    if isinstance(error, ray.exceptions.RayTaskError):
        cause = getattr(error, "cause", None)
        return cause if isinstance(cause, Exception) else RuntimeError(str(error))
    first = str(error).strip().partition("\n")[0]
    return LostError(first or type(error).__name__)
