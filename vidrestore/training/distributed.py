"""Data-parallel training: each process takes its share of every batch, and gradients are averaged.

The stages call parts of the model instead of the model itself, so ``DistributedDataParallel``, which hooks
into ``forward``, cannot be used; gradients are averaged explicitly, once per step. In a single process the
functions here have no effect.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils.data import Dataset


@contextmanager
def processes(device: str) -> Iterator[str]:
    """Join the process group that torchrun started, if any; yield the device of this process.

    The backend is NCCL on ``cuda``, where each process uses the GPU of its local rank, otherwise Gloo.
    """
    if not dist.is_torchelastic_launched():
        yield device
        return
    cuda = torch.device(device).type == "cuda"
    if cuda:
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Return the index of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """Return the number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def barrier() -> None:
    """Wait for all processes."""
    if world() > 1:
        dist.barrier()


def share(whole: Tensor, dim: int = 0) -> Tensor:
    """Return this process's part, along ``dim``, of a tensor for the whole batch."""
    return whole.chunk(world(), dim)[rank()]


def total(x: Tensor) -> Tensor:
    """Sum ``x`` over the processes, in place; return it."""
    if world() > 1:
        dist.all_reduce(x)
    return x


def mean(x: Tensor) -> Tensor:
    """Average ``x`` over the processes, in place; return it."""
    return total(x).div_(world())


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes, in one message.

    Parameters without a gradient are skipped. Which ones these are must depend on the step only, as in all
    stages, so that it is the same in every process.
    """
    if world() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = mean(torch.cat([g.reshape(-1) for g in gradients]))
    for gradient, average in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(average.view_as(gradient))


class Share(Dataset):
    """This process's items of the data set ``whole``, whose batches of ``batch`` items are split evenly."""

    def __init__(self, whole: Dataset[Any], *, batch: int) -> None:
        self.whole = whole
        self.batch = batch // world()

    def __len__(self) -> int:
        items: Any = self.whole  # torch's Dataset does not declare __len__
        return len(items) // (self.batch * world()) * self.batch

    def __getitem__(self, index: int) -> Any:
        step, place = divmod(index, self.batch)
        return self.whole[(step * world() + rank()) * self.batch + place]
