"""Several processes train one model: each takes its share of every batch, and what they learn is averaged.

The stages call parts of the model rather than the model itself, so ``DistributedDataParallel``, whose hooks
sit in ``forward``, does not fit; gradients are averaged by hand, once a step. In a single process every
function here does nothing.
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
    """Join the processes that torchrun started, if it did; yield the device of this one.

    They talk over NCCL on ``cuda``, where each takes the GPU of its local rank, else over Gloo.
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
    """The number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def world() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def barrier() -> None:
    """Wait for all."""
    if world() > 1:
        dist.barrier()


def share(whole: Tensor, dim: int = 0) -> Tensor:
    """This process's part of what was drawn for the whole batch along ``dim``."""
    return whole.chunk(world(), dim)[rank()]


def total(x: Tensor) -> Tensor:
    """The sum of ``x`` over the processes, in place."""
    if world() > 1:
        dist.all_reduce(x)
    return x


def mean(x: Tensor) -> Tensor:
    """The mean of ``x`` over the processes, in place."""
    return total(x).div_(world())


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes, in one message.

    Parameters without a gradient are left without. Which ones these are must depend on the step alone, as
    it does in all stages, so that it is the same in every process.
    """
    if world() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = mean(torch.cat([g.reshape(-1) for g in gradients]))
    for gradient, found in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(found.view_as(gradient))


class Share(Dataset):
    """The items of ``whole`` that are this process's when batches of ``batch`` are dealt out in order."""

    def __init__(self, whole: Dataset[Any], *, batch: int) -> None:
        self.whole = whole
        self.batch = batch // world()

    def __len__(self) -> int:
        return len(self.whole) // (self.batch * world()) * self.batch

    def __getitem__(self, index: int) -> Any:
        step, place = divmod(index, self.batch)
        return self.whole[(step * world() + rank()) * self.batch + place]
