"""Ray: workers as actors, and what passes between them and the process that leads."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ..errors import DeviceError, OutputError, VidrestoreError
from ..faces.recorded.recording import Recording
from ..stages.portion import Portion
from .actor import CHUNK, Restorer, forget
from .crew import LostError
from .film import Film, RefusedError, check_code
from .parcels import Parcel, parts
from .placing import ANALYST_GPU, WORKER_GPU, Placing
from .sightings import Sighting
from .told import Said
from .waiting import Waiting

log = logging.getLogger(__name__)

#: Results of a worker that may wait to be fetched, so that the object store stays small.
_WAITING = 4
#: Seconds between two looks at what Ray does, from a loop of asyncio and from a thread that may wait.
_POLL, _LOOK = 0.05, 1.0
_A_GPU = "a machine with a part of a GPU that is free"
#: Seconds that the end of a film waits for machines to delete what they were sent of it.
_FORGETTING = 10.0


@dataclass
class _Known:
    """What is known of a film."""

    recording: Any = None  #: of its faces, if it is shared: a reference into the object store
    sending: set[str] = field(default_factory=set)  #: machines that are sent its input
    received: set[str] = field(default_factory=set)  #: machines that keep a copy of it
    apart: set[str] = field(default_factory=set)  #: machines that do not see where segments are kept


class Engine:
    """Begins workers on a cluster that this process is connected to."""

    def __init__(self, ray: Any, placing: Placing) -> None:
        self.ray = ray
        self.placing = placing
        self._films = dict[str, _Known]()  # each used by one thread
        self._finding = set[RayWorker]()  # that find faces, or are about to

    def of(self, film: Film) -> _Known:
        """What is known of a film."""
        return self._films.setdefault(film.name, _Known())

    def share(self, film: Film, recording: Recording) -> None:
        """Let workers have the ``recording`` of the faces of a film."""
        self.of(film).recording = self.ray.put(recording)

    def end(self, film: Film) -> None:
        """A film has ended: nothing is kept of it."""
        known = self._films.pop(film.name, _Known())
        done = [self._task_on(machine, forget).remote(film) for machine in known.received]
        if done:
            self.ray.wait(done, num_returns=len(done), timeout=_FORGETTING)

    def _task_on(self, node: str, task: Any) -> Any:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        place = NodeAffinitySchedulingStrategy(node, soft=False)
        return self.ray.remote(task).options(num_cpus=0, max_retries=0, scheduling_strategy=place)

    def hire(self, number: int) -> RayWorker:
        """Begin a worker that restores."""
        settings: dict[str, Any] = {"num_gpus": WORKER_GPU} if self.placing.on_gpus else {}
        # Else Ray fills one machine before it uses the next, with its memory, disk and network.
        settings["scheduling_strategy"] = "SPREAD"
        return RayWorker(self, f"worker {number}", num_cpus=self.placing.cores, **settings)

    async def find(self, film: Film, state: Mapping[str, Any] | None) -> AsyncIterator[list[Sighting]]:
        """Let faces be found on a machine that can take part in ``film``. Raises VidrestoreError or
        LostError."""
        from .lead import prepare

        refusing = set[str]()
        while True:
            analyst = self._hire_analyst(refusing)
            try:
                needs = _A_GPU if self.placing.on_gpus else "a machine"
                waiting = Waiting(film.options.input.name, "the finder of faces", needs)
                while not analyst.has_begun():
                    await asyncio.sleep(_POLL)
                    self._wait(waiting)
                self._finding.add(analyst)
                try:
                    await prepare(analyst, film)
                except VidrestoreError:  # its disk may be full, for one
                    refusing.add(analyst.machine)
                    if not self._others(refusing):
                        raise
                    continue
                async for sightings in analyst.find(film, state):
                    yield sightings
                return
            finally:
                self._finding.discard(analyst)
                analyst.dismiss()

    def ask(self, film: str, what: str, question: Callable[..., Any], *given: Any) -> Any:
        """What ``question`` says of a film on a machine with a GPU; ``what`` that is, for messages and as the
        name of the task. Raises VidrestoreError."""
        task = self.ray.remote(question).options(num_cpus=0, num_gpus=ANALYST_GPU, name=f"{film}: {what}")
        waiting = Waiting(film, f"the task for the {what}", _A_GPU)
        answer = task.remote(*given)
        while not self.ray.wait([answer], timeout=_LOOK)[0]:
            self._wait(waiting)
        try:
            return self.ray.get(answer)
        except self.ray.exceptions.RayError as error:
            cause = _translated(self.ray, error)
            if isinstance(cause, VidrestoreError):
                raise cause from None
            raise DeviceError(
                f"no machine of the cluster could make the {what} for {film}: {_first_line(cause)}"
            ) from cause

    def _wait(self, waiting: Waiting) -> None:
        """Wait for a part of a GPU in which faces are found: those of another film may be in the way."""
        if self._finding:
            waiting.restart()
        else:
            waiting.go_on()

    def _hire_analyst(self, refusing: set[str]) -> RayWorker:
        settings: dict[str, Any] = {"num_cpus": 0}  # so that there is room beside workers
        if "OMP_NUM_THREADS" not in os.environ:  # Ray would let it have one core
            threads = {"OMP_NUM_THREADS": str(self.placing.cores)}
            settings["runtime_env"] = {"env_vars": threads}
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
        self.machine = ""  #: the id that the cluster gives its machine, once it has begun
        self._code: dict[str, str] = {}
        self._engine = engine
        self._ray = engine.ray
        actor = self._ray.remote(Restorer)
        self._actor = actor.options(max_restarts=0, max_task_retries=0, **settings).remote(name)
        self._about = self._actor.about.options(name=f"{name} begins").remote()

    def has_begun(self) -> bool:
        """See :class:`.crew.Worker`."""
        if not self.machine:
            if not self._ray.wait([self._about], timeout=0)[0]:
                return False
            try:
                self.machine, host, self._code = self._ray.get(self._about)
            except self._ray.exceptions.RayError as error:
                raise LostError(_first_line(error)) from None
            self.name = f"{self.name} on {host}"
        return True

    async def join(self, film: Film) -> bool:
        """See :class:`.crew.Worker`."""
        check_code(film, self._code)
        known = self._engine.of(film)
        call = self._actor.join.options(name=f"{film.options.input.name}: {self.name} joins")
        place, shared = await self._get(call.remote(film, known.recording))
        if not place:
            log.info("%s does not see %s, and is sent it", self.name, film.options.input)
        elif place == "received":  # now, or by a run that was killed
            known.received.add(self.machine)
        if not shared and self.machine not in known.apart:
            known.apart.add(self.machine)
            log.info("%s does not see %s, and sends segments back", self.name, film.folder)
        return bool(place)

    async def send(self, film: Film) -> None:
        """See :class:`.crew.Worker`. One machine is sent a file once."""
        known = self._engine.of(film)
        if waited := self.machine in known.sending:
            while self.machine in known.sending:
                await asyncio.sleep(_POLL)
        if waited and self.machine in known.received:
            return
        known.sending.add(self.machine)
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
            known.received.add(self.machine)
        finally:
            known.sending.discard(self.machine)

    async def render(self, film: Film, portion: Portion) -> AsyncIterator[Any]:
        """See :class:`.crew.Worker`."""
        frames = portion.frames
        name = f"{film.options.input.name}: frames {frames.start} to {frames.stop - 1}"
        hear = self._actor.hear.options(name=f"{name}, their faces")
        for part in parts(portion):
            await self._get(hear.remote(part))
        async for item in self._stream(self._actor.render, name, film):
            yield item

    async def find(self, film: Film, state: Mapping[str, Any] | None) -> AsyncIterator[list[Sighting]]:
        """Let it find the faces of ``film`` from ``state`` on; what it says is logged. Raises VidrestoreError
        or LostError."""
        parcel = Parcel()
        async for item in self._stream(self._actor.find, f"{film.options.input.name}: faces", film, state):
            if isinstance(item, Said):
                log.log(item.level, "%s", item.text)
            elif sightings := parcel.add(item):
                yield sightings

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
    return LostError(_first_line(error))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
