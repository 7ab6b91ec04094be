"""The machine that a measurement was made on."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from ...runtime.device import cpu_bf16_instructions
from ...runtime.host import usable_cores

_CPU_INFO = Path("/proc/cpuinfo")


def machine() -> dict[str, str | int | bool | None]:
    """Describe this machine: CPU, its bf16 support, usable cores, GPU, and versions of PyTorch and Python."""
    return {
        "cpu": cpu_name(),
        "bf16": cpu_bf16_instructions(),
        "cores": usable_cores(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def cpu_name() -> str:
    """Return the model of the CPU; where Linux does not name it, what Python knows."""
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    return platform.processor()
