"""The errors that PyTorch and Python raise when memory runs out."""

from __future__ import annotations

import torch

ERRORS = {
    "cuda": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cpu": RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate"),
    "mps": RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
    "cublas": RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    "python": MemoryError(),
}
