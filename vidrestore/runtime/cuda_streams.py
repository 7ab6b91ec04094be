"""CUDA streams: each stage's work on a device has its own stream, so that stages do not wait for each other.

By default the work of all threads goes to one stream, where a few small kernels wait for the whole batch of
the network before them. In separate streams they overlap. An event orders the work of two stages at each
hand-over, and memory is not reused before both streams are done with it. Copies to the device do not block
the host.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

Result = TypeVar("Result")

#: CUDA's stream priorities: lower numbers run first.
_HIGH_PRIORITY, _LOW_PRIORITY = -1, 0


@contextmanager
def own_stream(device: torch.device, *, urgent: bool) -> Iterator[None]:
    """Use a new stream for the work of this thread on ``device`` inside the context.

    It starts after all work already queued on the default stream. ``urgent`` work has priority over other
    work. Without effect on devices other than CUDA.
    """
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device, priority=_HIGH_PRIORITY if urgent else _LOW_PRIORITY)
    stream.wait_stream(torch.cuda.default_stream(device))
    with torch.cuda.stream(stream):
        yield


def upload(array: np.ndarray, device: torch.device | str) -> Tensor:
    """Copy ``array`` to a tensor on ``device``; to CUDA through pinned memory, without blocking the host."""
    tensor = torch.from_numpy(array)
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def record_event(device: torch.device) -> torch.cuda.Event | None:
    """Record an event on the current stream of ``device``; return None for devices other than CUDA."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event


def wait_event(item: object, event: torch.cuda.Event | None, device: torch.device) -> None:
    """Make the current stream of ``device`` wait for ``event``, recorded by the thread that made ``item``."""
    if event is None:
        return
    stream = torch.cuda.current_stream(device)
    stream.wait_event(event)
    for tensor in _tensors(item):
        tensor.record_stream(stream)


def on_current_stream(work: Callable[..., Result]) -> Callable[..., Result]:
    """Return ``work`` such that another thread that calls it uses the current stream of this thread."""
    if not torch.cuda.is_initialized():
        return work
    stream = torch.cuda.current_stream()

    def run(*args: Any) -> Result:
        with torch.cuda.stream(stream):
            return work(*args)

    return run


def _tensors(item: object) -> Iterator[Tensor]:
    """The CUDA tensors in ``item``, nested at any depth in lists, tuples, dictionaries and dataclasses."""
    if isinstance(item, Tensor):
        if item.is_cuda:
            yield item
    elif isinstance(item, list | tuple):
        for part in item:
            yield from _tensors(part)
    elif isinstance(item, dict):
        yield from _tensors(list(item.values()))
    elif is_dataclass(item):
        yield from _tensors([getattr(item, each.name) for each in fields(item)])
