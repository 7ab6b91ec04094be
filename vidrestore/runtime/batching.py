"""Batches that fill across items: one frame has no face, the next has five, a network wants four."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

from ..errors import DeviceError
from .host import network_workers
from .memory import free_memory, is_out_of_memory

log = logging.getLogger(__name__)

#: Tensors in, tensors out, each with one row for each face or frame.
Step = Callable[..., Sequence[Tensor]]
#: Those of one face or frame.
Row = Sequence[Tensor]

Item = TypeVar("Item")
Part = TypeVar("Part")
Result = TypeVar("Result")

#: The largest batch chosen here: beyond it a device has enough to do, and frames wait for it to fill.
LARGEST = 16
#: The batch where memory does not say.
USUAL = 4
#: The share of free memory that a batch may take: the rest is for what waits in windows.
_SHARE = 0.5


def choose_batch(device: torch.device, face_bytes: int) -> int:
    """How many faces to restore at once where each takes ``face_bytes`` meanwhile; on a CPU as many as there
    are threads for."""
    if device.type == "cpu":
        return network_workers()
    if device.type != "cuda":
        return USUAL
    fitting = int(free_memory(device) * _SHARE / face_bytes)
    return min(LARGEST, 1 << max(1, fitting).bit_length() - 1)


class BatchRunner:
    """How many parts are worked on at once: fewer, for good, once memory did not suffice."""

    def __init__(self, size: int, device: torch.device | str = "cpu") -> None:
        self.size = size
        self._device = torch.device(device)
        self._warned = False

    def run(self, parts: Sequence[Part], work: Callable[[list[Part]], Sequence[Result]]) -> list[Result]:
        """The results of ``work`` for all parts. What runs out of memory is done again by halves, for a
        single part it raises DeviceError."""
        done: list[Result] = []
        while len(done) < len(parts):
            batch = list(parts[len(done) : len(done) + self.size])
            results = self._attempt(batch, work)
            if results is None:
                self._halve(len(batch))
                continue
            if len(results) != len(batch):
                raise ValueError(f"{len(batch)} parts were worked on, and {len(results)} results came back")
            done.extend(results)
        return done

    def _attempt(
        self, batch: list[Part], work: Callable[[list[Part]], Sequence[Result]]
    ) -> Sequence[Result] | None:
        """None where memory ran out. What the attempt held is free again once this has returned."""
        try:
            return work(batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise DeviceError(
                    f"{self._device} has no memory left for one face; "
                    "end what else uses it, or choose another --device"
                ) from None
        return None

    def _halve(self, tried: int) -> None:
        self.size = tried // 2
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        level = logging.DEBUG if self._warned else logging.WARNING
        self._warned = True
        log.log(
            level,
            "%s has no memory for %d faces at once: from here on with %d; --batch sets it from the start",
            *(self._device, tried, self.size),
        )


def map_rows(step: Step) -> Callable[[Sequence[Row]], list[Row]]:
    """``step`` over rows as a CPU does it best: each for itself, by threads with a row each.

    Which kernel a CPU takes for a convolution hangs on the batch, and with it what bfloat16 rounds away: up
    to 8 levels of 255 in a face on some CPUs. Row by row a face is the same in whatever batch.
    """

    @torch.inference_mode()
    def one(row: Row) -> Row:
        return step(*row)

    def alone(rows: Sequence[Row]) -> list[Row]:
        if len(rows) < 2:
            return list(map(one, rows))
        return list(_threads(network_workers()).map(one, rows))

    return alone


def run_batched(step: Step) -> Callable[[Sequence[Row]], list[Row]]:
    """``step`` over rows as a GPU does it best: as one batch."""

    def together(rows: Sequence[Row]) -> list[Row]:
        if not rows:
            return []
        results = step(*map(torch.cat, zip(*rows, strict=True)))
        return list(zip(*(x.split(1) for x in results), strict=True))

    return together


def per_sample_on_cpu(step: Step, device: torch.device | str) -> Step:
    """``step`` over a batch; on a CPU by :func:`map_rows`."""
    if torch.device(device).type != "cpu":
        return step
    alone = map_rows(step)

    def apart(*inputs: Tensor) -> list[Tensor]:
        results = alone(list(zip(*(x.split(1) for x in inputs), strict=True)))
        return [torch.cat(parts) for parts in zip(*results, strict=True)]

    return apart


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="network")


def fill_batches(
    items: Iterable[tuple[Item, Sequence[Part]]],
    work: Callable[[list[Part]], Sequence[Result]],
    *,
    batches: BatchRunner,
    max_held: int,
    starts_batch: Callable[[Item], bool] = lambda item: False,
) -> Iterator[tuple[Item, list[Result]]]:
    """Batch the parts of ``items`` across items, and yield each item with the results of its parts.

    ``work`` gets ``batches.size`` parts at a time. Items come out in order, each once. At most ``max_held``
    items wait for a batch to fill; then a smaller batch is run. A smaller batch is also run before an item
    for which ``starts_batch`` is true, so that batches from there on do not depend on earlier items.
    """
    held: deque[tuple[Item, Sequence[Part]]] = deque()
    waiting: deque[Part] = deque()
    done: deque[Result] = deque()

    def run(count: int) -> None:
        done.extend(batches.run([waiting.popleft() for _ in range(count)], work))

    for item, parts in items:
        if waiting and starts_batch(item):
            run(len(waiting))
        held.append((item, parts))
        waiting.extend(parts)
        while len(waiting) >= batches.size:
            run(batches.size)
        if waiting and len(held) > max_held:
            run(len(waiting))
        while held and len(held[0][1]) <= len(done):
            first, its = held.popleft()
            yield first, [done.popleft() for _ in its]
    if waiting:
        run(len(waiting))
    for first, its in held:
        yield first, [done.popleft() for _ in its]
