"""Detect that a device is out of memory, and report it as a DeviceError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..errors import DeviceError

#: Texts of RuntimeErrors other than OutOfMemoryError: from PyTorch's allocators for CPU and MPS, and from
#: CUDA libraries that allocate by themselves.
_TEXTS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether ``error`` was raised because a device is out of memory."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _TEXTS)


def free_memory(device: torch.device) -> int:
    """Return the bytes of a CUDA device that are free or reserved by PyTorch without being in use."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@contextmanager
def translate_out_of_memory(device: torch.device) -> Iterator[None]:
    """Raise DeviceError in place of any out-of-memory error inside the context."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            f"{device} has no memory left; set a smaller --batch, or close other programs that use it"
        ) from None
