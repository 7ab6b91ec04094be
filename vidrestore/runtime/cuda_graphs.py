"""Steps of a network as CUDA graphs, captured once for each of a few batch sizes, and compiled in long runs.

In a network of hundreds of small kernels, launching them one by one takes longer than running them. Captured
as a CUDA graph they are launched together, always with the same shapes and the same memory. Therefore a batch
is padded to the next power of two, and copied to the memory that the graph reads. The size follows from the
batch alone, not from what was captured before: a run that is resumed has captured other sizes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from .batching import Step
from .memory import is_out_of_memory

log = logging.getLogger(__name__)

#: Faces after which a run is long enough for compiling, which takes a minute the first time.
_COMPILE_AFTER = 2000


class GraphRecorder:
    """Captures steps as CUDA graphs.

    The graphs share one memory pool for intermediate results, because one thread replays them one after
    another; their outputs are copied for the caller.
    """

    def __init__(self) -> None:
        self._stream: torch.cuda.Stream | None = None
        self._pool: Any = None  #: an opaque handle

    def __call__(self, step: Step, inputs: list[Tensor]) -> Step:
        """Capture ``step`` for inputs of these shapes. It must have run on such inputs before."""
        device = inputs[0].device
        if self._stream is None:
            self._stream, self._pool = torch.cuda.Stream(device), torch.cuda.graph_pool_handle()
        stream, here = self._stream, torch.cuda.current_stream(device)
        read = [x.clone() for x in inputs]
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.stream(here):  # the current stream again afterwards, even if the capture fails
            stream.wait_stream(here)
            with torch.cuda.stream(stream):
                step(*read)  # warm-up: allocations of libraries on this stream happen before the capture
            here.wait_stream(stream)
            # "thread_local": what threads of other stages do on the device must not invalidate the capture.
            with torch.cuda.graph(graph, self._pool, stream, capture_error_mode="thread_local"):
                written = step(*read)

        def replay(*given: Tensor) -> list[Tensor]:
            for static, x in zip(read, given, strict=True):
                static.copy_(x, non_blocking=True)
            graph.replay()
            return [x.clone() for x in written]

        return replay


class AcceleratedStep:
    """A step, called like the step itself, that uses CUDA graphs and compiled code.

    Where one of them fails, it continues without, and logs one warning.
    """

    def __init__(
        self,
        step: Step,
        *,
        recorder: Callable[[Step, list[Tensor]], Step] | None,
        compiler: Callable[[Step], Step] | None = torch.compile,
        compile_after: int = _COMPILE_AFTER,
    ) -> None:
        """Wrap ``step``.

        Args:
            step: The step.
            recorder: Returns a step that does the same for inputs of the given shapes only.
            compiler: Returns a faster step that does the same.
            compile_after: Number of rows after which ``compiler`` is used.
        """
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
        size = 1 << (count - 1).bit_length()
        padded = [_pad(x, size) for x in inputs]
        if size not in self._ready:
            self._ready[size] = self._recorded(padded)
        return [x[:count] for x in self._ready[size](*padded)]

    def _compile(self, compiler: Callable[[Step], Step], inputs: Sequence[Tensor]) -> None:
        self._compiler = None
        size = max(self._ready, default=len(inputs[0]))
        log.info("compiling the network: takes a minute the first time, seconds after that")
        try:
            compiled = compiler(self._step)
            compiled(*(_pad(x[:size], size) for x in inputs))
        except Exception as error:
            _raise_if_out_of_memory(error)
            _warn_without("compiled code", _first_line(error))
            return
        self._step = compiled
        self._ready.clear()

    def _recorded(self, inputs: list[Tensor]) -> Step:
        if self._recorder is None:
            return self._step
        self._step(*inputs)  # outside of try: an error of the step itself is not one of the capture
        try:
            return self._recorder(self._step, inputs)
        except Exception as error:
            _raise_if_out_of_memory(error)
            _warn_without("CUDA graphs", _first_line(error))
            self._recorder = None
            return self._step


def _pad(x: Tensor, size: int) -> Tensor:
    """Pad ``x`` to ``size`` rows by repeating its last row."""
    missing = size - len(x)
    return torch.cat((x, x[-1:].expand(missing, *x.shape[1:]))) if missing else x


def _raise_if_out_of_memory(error: Exception) -> None:
    """Leave a batch that is too large to the caller, who divides it."""
    if is_out_of_memory(error):
        raise error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


@cache
def _warn_without(what: str, why: str) -> None:
    log.warning("continuing without %s: %s", what, why)
