"""Cores, threads and memory allocation of the process."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path

import torch

#: A user who sets one of these has chosen how many cores are used.
_CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
#: Faces that a CPU's network takes at once, where it has the cores. A face is hundreds of small steps:
#: threads that share one wait for each other between them, half of the time in the embedded network.
_WORKERS = 4
#: From so many cores on, one in so many is left to decoding and encoding, which have threads of their own. On
#: fewer the network would lose more than they gain.
_SHARED_FROM = 8
#: Cores for each thread of those beside the networks.
_BESIDE = 4

# mallopt's names in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -3, -4, -8
_NEVER = 2**31 - 1


def prepare_process() -> None:
    """Set this process's threads and memory allocation for restoring.

    For command lines only: a library leaves its host's process alone. Call it once, before options are
    resolved (the batch size depends on the threads) and before the first network is loaded.
    """
    keep_freed_memory()
    torch.set_num_threads(network_threads(usable_cores()))


def network_threads(cores: int) -> int:
    """Threads that share the arithmetic of one face on so many cores."""
    return max(1, (cores - cores // _SHARED_FROM) // _WORKERS)


def network_workers() -> int:
    """How many faces, or frames to be searched, the cores are for at once, with as many threads for each as
    PyTorch is set to."""
    return max(1, min(_WORKERS, usable_cores() // torch.get_num_threads()))


def background_workers(cores: int) -> int:
    """Threads for what is done to faces beside the networks; none where the stages' own have to do."""
    return cores // _BESIDE


@cache
def usable_cores() -> int:
    """Cores to use: as many as the user chose, else the physical ones that this process may run on, as far as
    the system tells, and no more than a container's share of processor time is worth. Found once, before a
    run sets PyTorch's threads by it."""
    chosen = next((os.environ[name] for name in _CHOSEN if name in os.environ), "")
    if chosen.isdecimal():
        return max(1, int(chosen))
    if not hasattr(os, "sched_getaffinity"):  # not Linux: PyTorch knows as much
        return torch.get_num_threads()
    processors = os.sched_getaffinity(0)
    cores = len({_siblings(processor) for processor in processors})
    quota = _quota(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, min(cores, int(quota)) if quota else cores)


def _siblings(processor: int) -> str:
    """What the logical processors of one core have in common."""
    path = Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list")
    try:
        return path.read_text()
    except OSError:
        return str(processor)


def _quota(path: Path) -> float | None:
    """Processors' worth of time that a control group (version 2) has, None without a limit."""
    try:
        limit, period = path.read_text().split()
        return int(limit) / int(period)
    except (OSError, ValueError):  # "max" is no number
        return None


def keep_freed_memory() -> bool:
    """Let glibc keep large blocks that were freed, and give them out again. Returns whether it does.

    By default it maps each block above 32 MB anew, a page at a time as it is first touched, which takes
    longer than most of what a network does to its feature maps between convolutions: a tenth of the whole
    time at a batch of one, and a quarter at four. All threads share one arena, since the others cannot hold
    such blocks. Where the C library is not glibc nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another library, or Windows
        return False
    # Before 2.35 glibc takes no such threshold; then it is told to map nothing at all.
    mapped = mallopt(_M_MMAP_THRESHOLD, _NEVER) or mallopt(_M_MMAP_MAX, 0)
    return bool(mapped and mallopt(_M_TRIM_THRESHOLD, _NEVER) and mallopt(_M_ARENA_MAX, 1))
