"""What running out of memory looks like, on any device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ..errors import DeviceError

#: In the messages of RuntimeErrors that are not an OutOfMemoryError: PyTorch's allocators for CPU and MPS,
#: and CUDA's libraries, which allocate by themselves.
_SIGNS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that a device has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def free_memory(device: torch.device) -> int:
    """Bytes of a CUDA device that are free, or that PyTorch holds without using them."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@contextmanager
def translate_out_of_memory(device: torch.device) -> Iterator[None]:
    """What runs out of memory within raises DeviceError."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise DeviceError(
            f"{device} has no memory left; give a smaller --batch, or end what else uses it"
        ) from None
