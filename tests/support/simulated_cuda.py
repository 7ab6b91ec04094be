"""A simulated CUDA device, with streams and graphs, that finds errors in the use of one without a GPU.

Tensors of the device are CPU tensors in a wrapper whose device is ``cuda:0``. An operation on them raises an
error where a real device would fail or race: if it mixes devices, if it would make a graph capture wait for
the device, or if a stream reads, writes or frees memory that another stream may still be using. Work on two
streams is ordered only by events, by ``record_stream``, or by the host waiting. It shows neither speed nor
missing kernels.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("cuda:0")

#: Operations that return a value to the host, which therefore waits.
_WAITING = {"_local_scalar_dense", "item", "nonzero", "equal", "is_nonzero", "unique", "masked_select"}
#: Operations that may mix devices: copies, and indexing with tensors of the host.
_MIXING = {"copy_", "_to_copy", "to", "index", "index_put_", "_index_put_impl_", "index_put"}
_EMPTY = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}

#: Parameters of tests that run on a simulated device and, with -m gpu, on a real one.
DEVICES = [
    pytest.param(lambda: simulated_cuda(), id="simulated"),
    pytest.param(nullcontext, id="real", marks=pytest.mark.gpu),
]


class SimulatedError(RuntimeError):
    """An error that a real device, or a race detector on one, would report."""


class Stream:
    """A queue of work, counted by ``done``.

    ``observed`` says how much work of other streams is certain to be done before the next work of this one.
    """

    def __init__(self, device: Any = None, priority: int = 0, **_: Any) -> None:
        self.device, self.priority = DEVICE, priority
        self.done = 0
        self.observed: Counter[Stream] = Counter()

    def wait_stream(self, other: Stream) -> None:
        self._learn(other, other.done, other.observed)

    def wait_event(self, event: Event) -> None:
        self._learn(event.stream, event.position, event.observed)

    def _learn(self, other: Stream, position: int, observed: Counter[Stream]) -> None:
        self.observed |= observed
        self.observed[other] = max(self.observed[other], position)

    def synchronize(self) -> None:
        """Make the host wait; all work launched later, on any stream, runs after that of this one."""
        _SIMULATED.host.wait_stream(self)


class Event:
    """A position in a stream, and what that stream had observed there."""

    def __init__(self, **_: Any) -> None:
        self.stream: Stream | None = None

    def record(self, stream: Stream | None = None) -> None:
        self.stream = stream or _SIMULATED.current
        self.position, self.observed, self.time = (
            self.stream.done,
            self.stream.observed.copy(),
            time.perf_counter(),
        )

    def query(self) -> bool:
        return True

    def synchronize(self) -> None:
        _SIMULATED.host.wait_event(self)

    def elapsed_time(self, end: Event) -> float:
        return 1e3 * (end.time - self.time)


@dataclass
class Memory:
    """A block of device memory: the stream that allocated it, and the last writes and uses of it."""

    home: Stream  #: on which it was allocated
    written: tuple[Stream, int]  #: the last write: stream and position in it
    used: dict[Stream, int] = field(default_factory=dict)  #: position of the last use by each stream
    recorded: set[Stream] = field(default_factory=set)  #: streams passed to ``record_stream``


class DeviceTensor(torch.Tensor):
    """A tensor of the device, which wraps the CPU tensor ``inner``."""

    @staticmethod
    def __new__(cls, inner: torch.Tensor, memory: Memory) -> DeviceTensor:
        # ``inner`` decides whether it is an inference tensor, so the wrapper never is.
        with torch.inference_mode(False):
            self = torch.Tensor._make_wrapper_subclass(
                cls,
                inner.size(),
                strides=inner.stride(),
                storage_offset=inner.storage_offset(),
                dtype=inner.dtype,
                device=DEVICE,
            )
        self.inner, self.memory = inner, memory
        return self

    def tolist(self) -> list:
        return self.cpu().tolist()

    def new_tensor(self, data: Any, **kwargs: Any) -> torch.Tensor:
        return torch.tensor(data, **{"dtype": self.dtype, "device": DEVICE} | kwargs)

    def __getitem__(self, index: Any) -> torch.Tensor:
        return super().__getitem__(_listed(index))

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(_listed(index), value)

    def record_stream(self, stream: Stream) -> None:
        self.memory.recorded.add(stream)

    def __repr__(self) -> str:
        return f"{self.inner!r} on {DEVICE}"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise SimulatedError(f"{func} in a thread that started outside the simulation")


class Graph:
    """Captured operations, with the memory that they read and write; they run on replay."""

    def __init__(self) -> None:
        self.steps: list[tuple[Callable, tuple, dict, list[torch.Tensor]]] = []
        self.results: list[torch.Tensor] = []  #: in the memory pool of the graph
        self.read: list[Memory] = []
        self.made: list[Memory] = []
        self.pool: object = None

    def replay(self) -> None:
        with _SIMULATED.lock:
            _SIMULATED.replays += 1
            _SIMULATED.use("a graph", self.read, self.made)
            # Graphs that share a pool may overwrite each other's results.
            for other in _SIMULATED.graphs:
                if other.pool == self.pool:
                    for result in other.results:
                        result.fill_(float("nan") if result.is_floating_point() else 0)
            for step, args, kwargs, results in self.steps:
                for static, new in zip(results, _tensors(step(*args, **kwargs)), strict=True):
                    if static.data_ptr() != new.data_ptr():
                        static.copy_(new)


class Simulated:
    """The state of the device, shared by all threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.host = Stream()  #: a stream for the host: it has observed what the host has waited for
        self.default = Stream()
        self.faults: list[str] = []
        self.waits: Counter[str] = Counter()  #: number of waits of the host, by thread name
        self.replays = 0
        self.graphs: list[Graph] = []
        self._of_thread = threading.local()
        self._memories: weakref.WeakValueDictionary[int, Memory] = weakref.WeakValueDictionary()

    @property
    def current(self) -> Stream:
        return getattr(self._of_thread, "stream", self.default)

    @contextmanager
    def on(self, stream: Stream) -> Iterator[None]:
        before, self._of_thread.stream = self.current, stream
        try:
            yield
        finally:
            self._of_thread.stream = before

    @contextmanager
    def capturing(self, graph: Graph, pool: object, stream: Stream, **_: Any) -> Iterator[None]:
        graph.pool = pool
        self.current.synchronize()
        self._of_thread.graph = graph
        try:
            with self.on(stream):
                yield
        finally:
            self._of_thread.graph = None
        self.graphs.append(graph)

    def run(self, func: Any, args: tuple, kwargs: dict) -> Any:
        """Run one operation on the current stream."""
        name = func._schema.name.removeprefix("aten::")
        if name in ("pin_memory", "_pin_memory"):
            return args[0]
        given = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        ours = [x for x in given if isinstance(x, DeviceTensor)]
        devices = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.device)]
        here = devices[-1].type == "cuda" if devices else bool(ours)
        if not (here or ours):
            return func(*args, **kwargs)
        graph = getattr(self._of_thread, "graph", None)
        with self.lock:
            if name not in _MIXING and not devices and _from_host(given):
                raise SimulatedError(f"{name}: expected all tensors to be on the same device")
            waits = self._waits(name, given, ours, here)
            if graph is not None and (waits or (name in _MIXING and _from_host(given))):
                raise SimulatedError(f"{name}: operation not permitted when stream is capturing")
            plain = tree_map(_plain, (args, kwargs))
            done = func(*plain[0], **plain[1])
            read = list({id(x.memory): x.memory for x in ours}.values())
            if graph is None:
                self.use(str(func), read, _written(func, args, kwargs))
            if waits:
                self.waits[threading.current_thread().name] += 1
                self.current.synchronize()
            same = {id(x.inner): x for x in ours}
            found = tree_map(lambda x: self._ours(x, same) if isinstance(x, torch.Tensor) else x, done)
            if graph is not None and name not in _EMPTY:
                graph.steps.append((func, *plain, _tensors(done)))
                theirs = {x.untyped_storage()._cdata for x in _tensors(plain)}
                graph.results += [x for x in _tensors(done) if x.untyped_storage()._cdata not in theirs]
                graph.read += read
                graph.made += [x.memory for x in _tensors(found)]
            return found if here else done

    @staticmethod
    def _waits(name: str, given: list[torch.Tensor], ours: list[DeviceTensor], here: bool) -> bool:
        """Whether the host waits for the operation.

        It does for copies from the device, for values, and for the size of the result of indexing by a mask.
        """
        to_host = not here or (name == "copy_" and not isinstance(given[0], DeviceTensor))
        masked = name.startswith("index") and any(x.dtype == torch.bool for x in ours[1:])
        return to_host or masked or name in _WAITING

    def use(self, what: str, read: list[Memory], written: list[Memory]) -> None:
        """Add work to the current stream. Raises SimulatedError if it races with another stream."""
        stream = self.current
        stream.done += 1
        for memory in read:
            self._need(stream, [memory.written], f"{what} reads")
        for memory in written:
            self._need(stream, memory.used.items(), f"{what} writes")
            memory.written = (stream, stream.done)
        for memory in read + written:
            memory.used[stream] = stream.done

    def _need(self, stream: Stream, before: Any, what: str) -> None:
        for other, position in before:
            if other is not stream and position > max(stream.observed[other], self.host.observed[other]):
                raise SimulatedError(f"{what} memory that another stream may still be using")

    def _ours(self, inner: torch.Tensor, same: dict[int, DeviceTensor]) -> DeviceTensor:
        """Wrap a result: a new tensor, a view of an existing one, or one of the inputs."""
        if id(inner) in same:
            return same[id(inner)]
        key = inner.untyped_storage()._cdata
        memory = self._memories.get(key)
        if memory is None:
            memory = self._memories[key] = Memory(self.current, (self.current, self.current.done))
            weakref.finalize(memory, self._freed, memory.home, memory.used, memory.recorded)
        return DeviceTensor(inner, memory)

    def _freed(self, home: Stream, used: dict[Stream, int], recorded: set[Stream]) -> None:
        """Freed memory is reused by the stream that allocated it, which may not have observed other uses."""
        for other, position in used.items():
            safe = other is home or other in recorded
            if not safe and position > max(home.observed[other], self.host.observed[other]):
                self.faults.append("memory was freed that another stream may still be using")


class _Mode(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _SIMULATED.run(func, args, kwargs or {})


def _plain(x: Any) -> Any:
    if isinstance(x, torch.device):
        return torch.device("cpu")
    return x.inner if isinstance(x, DeviceTensor) else x


def _from_host(given: list[torch.Tensor]) -> bool:
    """Whether any of these tensors is on the host; scalars are allowed there."""
    return any(x.ndim and not isinstance(x, DeviceTensor) for x in given)


def _written(func: Any, args: tuple, kwargs: dict) -> list[Memory]:
    """The memory of those arguments that an operation writes to."""
    given = dict(zip((argument.name for argument in func._schema.arguments), args, strict=False)) | kwargs
    outputs = [
        given.get(argument.name)
        for argument in func._schema.arguments
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    return [x.memory for x in tree_leaves(outputs) if isinstance(x, DeviceTensor)]


def _listed(index: Any) -> Any:
    """Turn lists into tensors, because PyTorch would do that on the device, unseen by the simulation."""
    if isinstance(index, tuple):
        return tuple(map(_listed, index))
    return torch.tensor(index) if isinstance(index, list) else index


def _tensors(results: Any) -> list[torch.Tensor]:
    return [x for x in tree_leaves(results) if isinstance(x, torch.Tensor)]


_SIMULATED = Simulated()


@contextmanager
def simulated_cuda() -> Iterator[Simulated]:
    """Simulate a device inside the context, in this thread and in those that start inside."""
    global _SIMULATED
    _SIMULATED = device = Simulated()
    numbers = count()
    replacements = {
        "_lazy_init": lambda: None,
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "device_count": lambda: 1,
        "is_bf16_supported": lambda *_, **__: True,
        "mem_get_info": lambda *_: (8 << 30, 8 << 30),
        "memory_reserved": lambda *_: 0,
        "memory_allocated": lambda *_: 0,
        "empty_cache": lambda: None,
        "synchronize": lambda *_: device.current.synchronize(),
        "Stream": Stream,
        "Event": Event,
        "stream": device.on,
        "current_stream": lambda *_: device.current,
        "default_stream": lambda *_: device.default,
        "CUDAGraph": Graph,
        "graph": device.capturing,
        "graph_pool_handle": lambda: (0, next(numbers)),
    }
    plain_run, plain_tensor = threading.Thread.run, torch.tensor

    def tensor(data: Any, *, device: Any = None, **kwargs: Any) -> torch.Tensor:
        # In inference mode PyTorch copies it to the device unseen by the simulation.
        made = plain_tensor(data, **kwargs)
        return made if device is None else made.to(device)

    def run(thread: threading.Thread) -> None:
        with _Mode():
            plain_run(thread)

    overwrites = torch.__future__.get_overwrite_module_params_on_conversion()
    lifts = torch._C._only_lift_cpu_tensors()
    torch._C._ensureCUDADeviceGuardSet()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in replacements.items():
            patch.setattr(torch.cuda, name, value)
        patch.setattr(torch.backends.cudnn, "enabled", False)
        patch.setattr(threading.Thread, "run", run)
        patch.setattr(torch, "tensor", tensor)
        torch._C._set_only_lift_cpu_tensors(True)
        torch.__future__.set_overwrite_module_params_on_conversion(True)
        try:
            with _Mode():
                yield device
        finally:
            torch._C._set_only_lift_cpu_tensors(lifts)
            torch.__future__.set_overwrite_module_params_on_conversion(overwrites)
    assert not device.faults, device.faults[0]
