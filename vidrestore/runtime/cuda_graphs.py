"""A network's steps on a CUDA device: recorded once for each of a few sizes of batch, compiled in long runs.

A network of hundreds of small kernels is held up by launching them one by one. Recorded as a CUDA graph they
are launched together, which needs the same sizes and the same memory each time: so a batch is filled up to a
size that has been recorded, and copied to where the recording reads.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor

from .batching import Step
from .memory import is_out_of_memory

log = logging.getLogger(__name__)

#: A batch is filled up to a size that is there if that is at most so many times its own; else its own size,
#: up to a power of two, is recorded too.
_FILL = 4
#: Faces after which a run is long enough for compiling, which takes a minute where it was not done before.
_LONG = 2000


class GraphRecorder:
    """Makes CUDA graphs of steps. They share the memory for what they work out on the way, since one thread
    plays them, one after another, and their results are the caller's own."""

    def __init__(self) -> None:
        self._stream: torch.cuda.Stream | None = None
        self._pool: tuple[int, int] | None = None

    def __call__(self, step: Step, inputs: list[Tensor]) -> Step:
        """``step`` for inputs of these shapes, ``step`` having run on them before."""
        device = inputs[0].device
        if self._stream is None:
            self._stream, self._pool = torch.cuda.Stream(device), torch.cuda.graph_pool_handle()
        stream, here = self._stream, torch.cuda.current_stream(device)
        read = [x.clone() for x in inputs]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(here):  # from where it goes on, even if recording fails
            stream.wait_stream(here)
            with torch.cuda.stream(stream):
                step(*read)  # what this stream allocates, it has allocated then
            here.wait_stream(stream)
            # Other stages' threads use the device too: what they do must not end the recording.
            with torch.cuda.graph(graph, self._pool, stream, capture_error_mode="thread_local"):
                written = step(*read)

        def replay(*given: Tensor) -> list[Tensor]:
            for place, x in zip(read, given, strict=True):
                place.copy_(x, non_blocking=True)
            graph.replay()
            return [x.clone() for x in written]

        return replay


class AcceleratedStep:
    """A step at its fastest; calls are those of the step itself. What cannot be had here, it does without,
    which is said in one line."""

    def __init__(
        self,
        step: Step,
        *,
        recorder: Callable[[Step, list[Tensor]], Step] | None,
        compiler: Callable[[Step], Step] | None = torch.compile,
        compile_after: int = _LONG,
    ) -> None:
        """``recorder`` returns what does the same as a step for inputs of the given shapes; ``compiler`` a
        faster step, asked for after so many rows."""
        self._step = step
        self._recorder, self._compiler = recorder, compiler
        self._compile_after = compile_after
        self._rows = 0
        self._ready: dict[int, Step] = {}

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        count = len(inputs[0])
        self._rows += count
        if self._compiler and self._rows > self._compile_after:
            self._compile(self._compiler, inputs)
        size = self._size(count)
        filled = [_fill(x, size) for x in inputs]
        if size not in self._ready:
            self._ready[size] = self._recorded(filled)
        return [x[:count] for x in self._ready[size](*filled)]

    def _size(self, count: int) -> int:
        there = [size for size in self._ready if count <= size <= _FILL * count]
        return min(there, default=1 << (count - 1).bit_length())

    def _compile(self, compiler: Callable[[Step], Step], inputs: Sequence[Tensor]) -> None:
        self._compiler = None
        size = max(self._ready, default=len(inputs[0]))
        log.info("compiling the network: a minute the first time, seconds from then on")
        try:
            compiled = compiler(self._step)
            compiled(*(_fill(x[:size], size) for x in inputs))
        except Exception as error:
            _raise_without_memory(error)
            _say_without("compiled code", _first_line(error))
            return
        self._step = compiled
        self._ready.clear()

    def _recorded(self, inputs: list[Tensor]) -> Step:
        if self._recorder is None:
            return self._step
        self._step(*inputs)  # what fails here is not the recording's fault
        try:
            return self._recorder(self._step, inputs)
        except Exception as error:
            _raise_without_memory(error)
            _say_without("CUDA graphs", _first_line(error))
            self._recorder = None
            return self._step


def _fill(x: Tensor, size: int) -> Tensor:
    """``x`` with its last row repeated, up to ``size`` rows."""
    missing = size - len(x)
    return torch.cat((x, x[-1:].expand(missing, *x.shape[1:]))) if missing else x


def _raise_without_memory(error: Exception) -> None:
    """A batch that is too large is the caller's to divide."""
    if is_out_of_memory(error):
        raise error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@cache
def _say_without(what: str, why: str) -> None:
    log.warning("going on without %s: %s", what, why)
