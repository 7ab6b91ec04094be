"""Batches that fill across items, because frames have any number of faces and networks want a fixed one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

from ..errors import DeviceError
from .cuda_streams import on_current_stream
from .host import network_workers
from .memory import free_memory, is_out_of_memory

log = logging.getLogger(__name__)

#: A step of a network: tensors in, tensors out, each with one row per face or frame.
Step = Callable[..., Sequence[Tensor]]
#: The inputs or outputs of a step for one face or frame: tensors with one row each.
Row = Sequence[Tensor]

Item = TypeVar("Item")
Part = TypeVar("Part")
Result = TypeVar("Result")
Key = TypeVar("Key", bound=Hashable)

#: The largest batch chosen automatically: larger ones make a device no faster, and frames wait for them.
LARGEST = 16
#: The batch where the amount of free memory is not known.
USUAL = 4
#: Share of the free memory that a batch may take; the rest is for the faces that wait in windows.
_MEMORY_SHARE = 0.5


def choose_batch(device: torch.device, face_bytes: int) -> int:
    """Return how many faces to restore at once on ``device``.

    On CUDA, a power of two whose faces, at ``face_bytes`` bytes each, fit into half of the free memory; on a
    CPU, one per worker thread.
    """
    if device.type == "cpu":
        return network_workers()
    if device.type != "cuda":
        return USUAL
    fitting = int(free_memory(device) * _MEMORY_SHARE / face_bytes)
    return min(LARGEST, 1 << max(1, fitting).bit_length() - 1)


class BatchRunner:
    """Runs work in batches of up to ``size`` parts, and halves ``size`` for good when memory runs out.
    Messages call a part a ``noun``."""

    def __init__(self, size: int, device: torch.device | str = "cpu", noun: str = "face") -> None:
        self.size = size
        self._noun = noun
        self._device = torch.device(device)
        self._warned = False

    def run(self, parts: Sequence[Part], work: Callable[[list[Part]], Sequence[Result]]) -> list[Result]:
        """Return the results of ``work`` for all ``parts``.

        A batch that runs out of memory is repeated with half its size. Raises DeviceError if a single part
        runs out of memory, ValueError if ``work`` does not return one result for each part.
        """
        done: list[Result] = []
        while len(done) < len(parts):
            batch = list(parts[len(done) : len(done) + self.size])
            results = self._attempt(batch, work)
            if results is None:
                self._halve(len(batch))
                continue
            if len(results) != len(batch):
                raise ValueError(f"{len(results)} results came back for {len(batch)} parts")
            done.extend(results)
        return done

    def _attempt(
        self, batch: list[Part], work: Callable[[list[Part]], Sequence[Result]]
    ) -> Sequence[Result] | None:
        """Run one batch; return None if memory ran out. Its memory is free once this has returned."""
        try:
            return work(batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(batch) == 1:
                raise DeviceError(
                    f"{self._device} has no memory left for one {self._noun}; close other programs that use "
                    "it, or choose another --device"
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
            "%s has no memory for %d %ss at once: continuing with %d%s",
            self._device,
            tried,
            self._noun,
            self.size,
            "; set --batch to start with fewer" if self._noun == "face" else "",
        )


def map_rows(step: Step) -> Callable[[Sequence[Row]], list[Row]]:
    """Return a function that runs ``step`` on each row by itself, in threads; the fastest way on a CPU.

    The threads use the caller's CUDA stream, so that their work follows what the caller has begun.

    On a CPU the convolution kernel, and with it the rounding of bfloat16, depends on the batch size: by up to
    8 levels of 255 in a face on some CPUs. Row by row, a face is the same in any batch.
    """

    @torch.inference_mode()
    def run(row: Row) -> Row:
        return step(*row)

    def run_rows(rows: Sequence[Row]) -> list[Row]:
        if len(rows) < 2:
            return list(map(run, rows))
        return list(_threads(network_workers()).map(on_current_stream(run), rows))

    return run_rows


def run_batched(step: Step) -> Callable[[Sequence[Row]], list[Row]]:
    """Return a function that runs ``step`` on all rows as one batch; the fastest way on a GPU."""

    def run_rows(rows: Sequence[Row]) -> list[Row]:
        if not rows:
            return []
        results = step(*map(torch.cat, zip(*rows, strict=True)))
        return list(zip(*(x.split(1) for x in results), strict=True))

    return run_rows


def per_sample_on_cpu(step: Step, device: torch.device | str) -> Step:
    """Return a step that does the same as ``step``, on a CPU with :func:`map_rows`."""
    if torch.device(device).type != "cpu":
        return step
    run_rows = map_rows(step)

    def run_batch(*inputs: Tensor) -> list[Tensor]:
        results = run_rows(list(zip(*(x.split(1) for x in inputs), strict=True)))
        return [torch.cat(parts) for parts in zip(*results, strict=True)]

    return run_batch


def by_group(
    parts: Sequence[Part], key: Callable[[Part], Key], work: Callable[[Key, list[Part]], Sequence[Result]]
) -> list[Result]:
    """The results of ``work`` for ``parts`` in their order. It is given the parts that have the same key
    together, with that key, and returns one result for each."""
    groups: dict[Key, list[int]] = {}
    for place, part in enumerate(parts):
        groups.setdefault(key(part), []).append(place)
    results: dict[int, Result] = {}
    for same, places in groups.items():
        results |= zip(places, work(same, [parts[place] for place in places]), strict=True)
    return [results[place] for place in range(len(parts))]


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
            first, parts_of_first = held.popleft()
            yield first, [done.popleft() for _ in parts_of_first]
    if waiting:
        run(len(waiting))
    for item, parts in held:
        yield item, [done.popleft() for _ in parts]
