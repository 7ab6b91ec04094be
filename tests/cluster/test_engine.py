"""What Ray says of a task that failed, in this program's words; the rest is in test_restore.py."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vidrestore.cluster.crew import LostError
from vidrestore.cluster.engine import Engine, RayWorker, _translated
from vidrestore.cluster.film import RefusedError
from vidrestore.cluster.lead import prepare
from vidrestore.cluster.parcels import Parcel, Part, parts
from vidrestore.cluster.placing import Placing
from vidrestore.cluster.told import Said
from vidrestore.errors import DeviceError, OutputError, UsageError
from vidrestore.faces.recorded.given_source import Given
from vidrestore.stages.portion import Portion

ray = pytest.importorskip("ray")
FILM: Any = SimpleNamespace(
    name="a film", options=SimpleNamespace(input=Path("in.mp4")), folder=Path("."), key={"vidrestore": "2"}
)


class Call:
    """A method of an actor, called at once."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def options(self, **_: Any) -> Call:
        return self

    async def _result(self, *given: Any, **named: Any) -> Any:
        return self._method(*given, **named)

    def remote(self, *given: Any, **named: Any) -> Any:
        return self._result(*given, **named) if self._method.__name__ != "about" else self._method()


class Actor:
    """Stands in for a worker's process on the machine ``a``."""

    def __init__(self, version: str = "2") -> None:
        self.version = version
        self.content = b""
        self.dies = 0  #: times that it dies while it receives

    def about(self) -> Any:
        return "a", "host", {"vidrestore": self.version}

    def join(self, film: Any, recording: Any) -> Any:
        return "received" if self.content else "", True

    def receive(self, film: Any, content: bytes, *, begins: bool, ends: bool) -> None:
        if self.dies:
            self.dies -= 1
            raise ray.exceptions.ActorDiedError
        self.content += content

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        return Call(value) if callable(value) else value


def engine(*actors: Actor) -> tuple[Engine, list[RayWorker]]:
    """An engine on a stand-in for Ray, which begins these actors, and its workers."""
    left = list(actors)
    begun = SimpleNamespace(remote=lambda name: left.pop(0))
    fake = SimpleNamespace(
        remote=lambda what: SimpleNamespace(options=lambda **settings: begun),
        wait=lambda references, timeout: (references, []),
        get=lambda reference: reference,
        exceptions=ray.exceptions,
    )
    made = Engine(fake, Placing(len(actors), 1, on_gpus=False))
    workers = [made.hire(number) for number in range(len(actors))]
    assert all(worker.has_begun() for worker in workers)
    return made, workers


def begins(asked: list[Any]) -> Any:
    """A stand-in for Ray that begins actors, and notes with what settings."""

    def begun(**settings: Any) -> Any:
        asked.append(settings)
        return SimpleNamespace(remote=lambda name: Actor())

    return SimpleNamespace(remote=lambda what: SimpleNamespace(options=begun))


def test_workers_are_spread_over_the_machines():
    Engine(begins(asked := []), Placing(4, 8, on_gpus=True)).hire(1)
    [settings] = asked
    assert settings["scheduling_strategy"] == "SPREAD"
    assert (settings["num_cpus"], settings["num_gpus"]) == (8, 0.8)


def test_a_worker_of_another_version_is_told_nothing():
    """It might not understand it."""
    _, [worker] = engine(Actor("1"))
    with pytest.raises(RefusedError, match=r"vidrestore is not the same \(2, there 1\)"):
        asyncio.run(prepare(worker, FILM))


def test_one_that_waited_for_a_file_in_vain_is_sent_it(tmp_path):
    (tmp_path / "in.mp4").write_bytes(b"content")
    film: Any = SimpleNamespace(**(vars(FILM) | {"options": SimpleNamespace(input=tmp_path / "in.mp4")}))
    first, second = Actor(), Actor()
    first.dies = 1
    made, workers = engine(first, second)

    async def both() -> Any:
        return await asyncio.gather(*(prepare(each, film) for each in workers), return_exceptions=True)

    lost, joined = asyncio.run(both())
    assert isinstance(lost, LostError)
    assert joined is None
    assert second.content == b"content"
    assert made.of(film).received == {"a"}


class Stream(Call):
    """A method of an actor that yields."""

    def remote(self, *given: Any, **named: Any) -> Any:
        return self._results(*given, **named)

    async def _results(self, *given: Any, **named: Any) -> AsyncIterator[Any]:
        for item in self._method(*given, **named):
            yield self._result_of(item)

    async def _result_of(self, item: Any) -> Any:
        return item


def test_what_passes_is_so_small_that_ray_does_not_store_it(caplog):
    """It would stay in the object store for as long as an array of it is used: until the last segment whose
    faces came with it is complete."""
    faces = {number: Given((), number) for number in range(20_000)}
    portion = Portion(frames=range(20_000), length=125, marks={}, faces=faces)
    sightings = [("a frame", bytes(300_000))]
    told: list[Part] = []
    _, [worker] = engine(Actor())
    worker._actor = SimpleNamespace(
        hear=Call(told.append),
        render=Stream(lambda film: ["restored"]),
        find=Stream(lambda film, state: [Said(logging.WARNING, "in.mp4 is damaged"), *parts(sightings)]),
    )

    async def items(given: AsyncIterator[Any]) -> list[Any]:
        return [item async for item in given]

    assert asyncio.run(items(worker.render(FILM, portion))) == ["restored"]
    assert asyncio.run(items(worker.find(FILM, None))) == [sightings]
    assert "in.mp4 is damaged" in caplog.text  # only the finder of faces reads the whole file
    assert len(told) > 1
    assert max(len(pickle.dumps(part)) for part in told) < 100_000
    parcel = Parcel()
    assert [parcel.add(part) for part in told][-1] == portion


def test_a_copy_that_an_earlier_run_left_is_deleted_at_the_end(monkeypatch):
    actor = Actor()
    actor.content = b"content"
    made, [worker] = engine(actor)
    asyncio.run(prepare(worker, FILM))
    forgotten = []
    task = SimpleNamespace(remote=forgotten.append)
    monkeypatch.setattr(made, "_task_on", lambda machine, what: task)
    made.ray.wait = lambda references, **_: None
    made.end(FILM)
    assert forgotten == [FILM]


def test_an_error_of_the_work_is_itself():
    import ray.exceptions

    own = OutputError("no space left", repeats=True)
    error = ray.exceptions.RayTaskError("render", "a traceback", own)
    assert _translated(ray, error) is own


def test_the_end_of_a_worker_is_one_line():
    import ray.exceptions

    for error in (
        ray.exceptions.ActorDiedError(),
        ray.exceptions.OutOfMemoryError("Task was killed\nmore"),
        ray.exceptions.WorkerCrashedError(),
    ):
        translated = _translated(ray, error)
        assert isinstance(translated, LostError)
        assert str(translated)
        assert "\n" not in str(translated)


class Cluster:
    """Stands in for Ray on machines with GPUs: a task is run when its answer is fetched."""

    exceptions = ray.exceptions

    def __init__(self, *, has_room: bool = True) -> None:
        self.has_room = has_room
        self.asked: list[dict[str, Any]] = []

    def remote(self, task: Callable[..., Any]) -> Any:
        def options(**settings: Any) -> Any:
            self.asked.append(settings)
            return SimpleNamespace(remote=lambda *given: lambda: task(*given))

        return SimpleNamespace(options=options)

    def wait(self, answers: list[Any], timeout: float) -> Any:
        return (answers, []) if self.has_room else ([], answers)

    def get(self, answer: Any) -> Any:
        return answer()


def asked(cluster: Cluster, question: Callable[..., Any]) -> Any:
    made = Engine(cluster, Placing(1, 4, on_gpus=True))
    return made.ask("film.mkv", "decisions", question, 1)


def test_a_machine_with_a_gpu_is_asked():
    assert asked(cluster := Cluster(), lambda number: number + 1) == 2
    assert cluster.asked == [{"num_cpus": 0, "num_gpus": 0.2, "name": "film.mkv: decisions"}]


def test_what_is_wrong_with_the_options_is_said_as_it_is():
    error = UsageError("no such model")

    def refuse(number: int) -> None:
        raise ray.exceptions.RayTaskError("decisions", "a traceback", error)

    with pytest.raises(UsageError) as caught:
        asked(Cluster(), refuse)
    assert caught.value is error


@pytest.mark.parametrize(
    "error",
    [
        ray.exceptions.RayTaskError("decisions", "a traceback", RuntimeError("No module named x\nmore")),
        ray.exceptions.WorkerCrashedError(),
    ],
    ids=["vidrestore is not installed there", "it ends"],
)
def test_a_machine_that_cannot_answer_ends_the_run_in_one_line(error):
    def fail(number: int) -> None:
        raise error

    with pytest.raises(DeviceError, match=r"could make the decisions for film\.mkv: ") as caught:
        asked(Cluster(), fail)
    assert "\n" not in str(caught.value)


def test_a_cluster_without_a_free_gpu_is_not_asked_without_end(monkeypatch):
    monkeypatch.setattr("vidrestore.cluster.waiting.LIMIT", 0.0)
    with pytest.raises(DeviceError, match=r"the task for the decisions of film\.mkv has not begun"):
        asked(Cluster(has_room=False), lambda number: None)


def test_a_finder_of_faces_that_cannot_be_placed_ends_the_run(monkeypatch):
    monkeypatch.setattr("vidrestore.cluster.waiting.LIMIT", 0.0)
    made = Engine(begins([]), Placing(1, 1, on_gpus=False))
    dismissed: list[bool] = []
    monkeypatch.setattr(RayWorker, "has_begun", lambda self: False)
    monkeypatch.setattr(RayWorker, "dismiss", lambda self: dismissed.append(True))

    async def find() -> None:
        async for _ in made.find(FILM, None):
            pass

    with pytest.raises(DeviceError, match=r"the finder of faces of in\.mp4 has not begun"):
        asyncio.run(find())
    assert dismissed


@pytest.mark.parametrize(("chosen", "expected"), [(None, "4"), ("2", None)], ids=str)
def test_faces_are_found_on_as_many_cores_as_a_worker_has(monkeypatch, chosen, expected):
    """Ray lets an actor that asks for no core have one."""
    if chosen:
        monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    else:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    asked: list[Any] = []
    made = Engine(begins(asked), Placing(1, 4, on_gpus=False))
    made._hire_analyst(set())
    threads = asked[0].get("runtime_env", {}).get("env_vars", {}).get("OMP_NUM_THREADS")
    assert (asked[0]["num_cpus"], threads) == (0, expected)
