"""Devices and precisions by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ..errors import DeviceError, UsageError

#: The precisions, and the dtype of each.
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def find_device(name: str) -> torch.device:
    """Return the device called ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

    ``auto`` is CUDA, MPS or the CPU, whichever is available first. Raises UsageError for an unknown name and
    DeviceError for a device that this machine does not have.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"unknown device {name!r}; use auto, cpu, cuda, cuda:1 or mps") from None
    present = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if device.type not in present:
        raise UsageError(f"unknown device {name!r}; use auto, cpu, cuda, cuda:1 or mps")
    if not present[device.type]:
        raise DeviceError(f"this machine has no device {name}; use --device cpu or auto")
    return device


def find_precision(name: str, device: torch.device) -> str:
    """Return the precision, a key of :data:`DTYPES`, for a name that is one or ``auto``.

    ``auto`` is bf16 if ``device`` has instructions for it, else fp32. It is never fp16, whose range ends at
    65504. Raises UsageError for fp16 on a device other than CUDA: CPUs are many times slower in it than in
    fp32.
    """
    if name == "fp16" and device.type != "cuda":
        raise UsageError(
            f"fp16 is for CUDA devices only, not for {device}; use --precision auto, bf16 or fp32"
        )
    if name != "auto":
        return name
    return "bf16" if has_bf16(device) else "fp32"


def has_bf16(device: torch.device) -> bool:
    """Return whether ``device`` has instructions for bf16. A CPU without them is many times slower in bf16
    than in fp32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and cpu_bf16_instructions() is not None


def cpu_bf16_instructions() -> str | None:
    """Return the bf16 instructions of this CPU: ``AMX``, ``AVX-512`` or None."""
    if torch.cpu._is_amx_tile_supported():
        return "AMX"
    return "AVX-512" if torch.cpu._is_avx512_bf16_supported() else None


def prepare_device(device: torch.device, precision: str, *, compile_cache: Path) -> None:
    """Set this process's CUDA arithmetic for networks in ``precision``, and keep their compiled code in the
    folder ``compile_cache``. On other devices nothing is set.

    For command lines only: a library leaves its host's process alone. Call it before the first network runs.
    """
    if device.type == "cuda":
        set_matmul_precision(precision)
        set_compile_cache(compile_cache)


def set_matmul_precision(precision: str) -> None:
    """Set how CUDA devices multiply float32 for a network that runs in ``precision``.

    In fp32 exactly, where PyTorch's default for convolutions is TF32. If the rest is in half precision, what
    stays in float32 uses TF32: eight times finer than bf16, and many times faster than fp32.
    """
    reduced = precision != "fp32"
    torch.backends.cuda.matmul.allow_tf32 = reduced
    torch.backends.cudnn.allow_tf32 = reduced
    # Batches come in few sizes, so searching for the fastest algorithm for each pays off.
    torch.backends.cudnn.benchmark = True


@contextmanager
def float32_arithmetic(device: torch.device, precision: str) -> Iterator[None]:
    """Multiply float32 as :func:`set_matmul_precision` says while the context lasts, so that results do not
    depend on the settings of the host's process; afterwards these are as before."""
    matmul = torch.backends.cuda.matmul.allow_tf32
    convolutions, benchmark = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark
    if device.type == "cuda":
        set_matmul_precision(precision)
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = matmul
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cudnn.benchmark = benchmark


def set_compile_cache(folder: Path) -> None:
    """Keep compiled code in ``folder`` from run to run, unless ``$TORCHINDUCTOR_CACHE_DIR`` names another."""
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder))
