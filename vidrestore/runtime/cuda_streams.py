"""CUDA streams: a stage's work on a device goes its own way, so that it waits for none of the others'.

By default all threads' work goes into one stream, and whoever waits there for a few small kernels waits for
the network's whole batch before them. In streams of their own they overlap; what one hands to another is in
order by an event, and its memory is not given out again before both are done with it. What goes to the device
does not make its thread wait either.
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

#: CUDA's priorities: lower ones go first.
_URGENT, _PATIENT = -1, 0


@contextmanager
def own_stream(device: torch.device, *, urgent: bool) -> Iterator[None]:
    """Within it, this thread's work on ``device`` has a stream of its own, behind all that was given to the
    default one before. What is ``urgent`` goes before what is not. Elsewhere than on CUDA it does nothing."""
    if device.type != "cuda":
        yield
        return
    stream = torch.cuda.Stream(device, priority=_URGENT if urgent else _PATIENT)
    stream.wait_stream(torch.cuda.default_stream(device))
    with torch.cuda.stream(stream):
        yield


def upload(array: np.ndarray, device: torch.device | str) -> Tensor:
    """``array`` as a tensor on ``device``. To CUDA it goes by way of memory that the device reads by itself,
    so that nobody waits for it."""
    tensor = torch.from_numpy(array)
    if torch.device(device).type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def record_event(device: torch.device) -> torch.cuda.Event | None:
    """How far this thread's work on ``device`` has been given; None elsewhere than on CUDA."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event


def wait_event(item: object, marked: torch.cuda.Event | None, device: torch.device) -> None:
    """Let this thread's work go on where another one's, which made ``item``, was marked."""
    if marked is None:
        return
    stream = torch.cuda.current_stream(device)
    stream.wait_event(marked)
    for tensor in _tensors(item):
        tensor.record_stream(stream)


def on_current_stream(work: Callable[..., Result]) -> Callable[..., Result]:
    """``work``, to be done by another thread in this one's stream."""
    if not torch.cuda.is_initialized():
        return work
    stream = torch.cuda.current_stream()

    def there(*args: Any) -> Result:
        with torch.cuda.stream(stream):
            return work(*args)

    return there


def _tensors(item: object) -> Iterator[Tensor]:
    """The tensors of CUDA devices in ``item``, however deep in lists, tuples, dictionaries, dataclasses."""
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
