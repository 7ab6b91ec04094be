"""Cores, threads and memory allocation of the process."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path

import torch

#: A user who sets one of these variables has chosen the number of cores to use.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
#: Faces that go through a network on the CPU at once, given enough cores. A face takes hundreds of small
#: steps, and threads that share one face wait for each other in between: half of the time in the embedded
#: network.
_WORKERS = 4
#: One core in this many is left to decoding and encoding, which have their own threads. With fewer cores the
#: network would lose more than they gain.
_CORES_PER_CODEC_THREAD = 8
#: Cores per thread of the work on faces outside of networks.
_CORES_PER_BACKGROUND_WORKER = 4

# Constants of mallopt in glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -3, -4, -8
_LARGEST_THRESHOLD = 2**31 - 1


def prepare_process() -> None:
    """Set this process's threads and memory allocation for restoring.

    For command lines only: a library leaves its host's process alone. Call it once, before options are
    resolved (the batch size depends on the threads) and before the first network is loaded.
    """
    keep_freed_memory()
    torch.set_num_threads(network_threads(usable_cores()))


def network_threads(cores: int) -> int:
    """Return the number of threads that share the arithmetic of one face on this many cores."""
    return max(1, (cores - cores // _CORES_PER_CODEC_THREAD) // _WORKERS)


def network_workers() -> int:
    """Return how many faces or frames go through a network on the CPU at once.

    Each uses as many threads as PyTorch is set to.
    """
    return max(1, min(_WORKERS, usable_cores() // torch.get_num_threads()))


def background_workers(cores: int) -> int:
    """Return the number of threads for work on faces outside of networks; 0: use those of the stages."""
    return cores // _CORES_PER_BACKGROUND_WORKER


@cache
def usable_cores() -> int:
    """Return the number of cores to use.

    That is what the user has chosen by OMP_NUM_THREADS or MKL_NUM_THREADS, or else the number of physical
    cores that this process may run on, limited by the CPU quota of its container. On systems other than Linux
    it is PyTorch's default. The result is cached, so that it does not change when a run sets PyTorch's number
    of threads by it.
    """
    chosen = next((os.environ[name] for name in _THREAD_VARIABLES if name in os.environ), "")
    if chosen.isdecimal():
        return max(1, int(chosen))
    if not hasattr(os, "sched_getaffinity"):  # not Linux
        return torch.get_num_threads()
    processors = os.sched_getaffinity(0)
    cores = len({_siblings(processor) for processor in processors})
    quota = _quota(Path("/sys/fs/cgroup/cpu.max"))
    return max(1, min(cores, int(quota)) if quota else cores)


def _siblings(processor: int) -> str:
    """Return a string that is the same for all logical processors of one core."""
    path = Path(f"/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list")
    try:
        return path.read_text()
    except OSError:
        return str(processor)


def _quota(path: Path) -> float | None:
    """Return the CPU quota of a control group (version 2) in processors, None without a limit."""
    try:
        limit, period = path.read_text().split()
        return int(limit) / int(period)
    except (OSError, ValueError):  # "max": no limit
        return None


def keep_freed_memory() -> bool:
    """Make glibc's malloc keep large freed blocks for reuse. Returns whether that worked.

    By default it maps every block above 32 MB anew, page by page on first access, which takes longer than
    most operations of a network on its feature maps between convolutions: a tenth of the whole time at batch
    size 1, and a quarter at 4. All threads share one arena, because the other arenas cannot hold such blocks.
    With a C library other than glibc this has no effect.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another library, or Windows
        return False
    # glibc before 2.35 rejects a threshold this large; then mapping is switched off altogether.
    mapped = mallopt(_M_MMAP_THRESHOLD, _LARGEST_THRESHOLD) or mallopt(_M_MMAP_MAX, 0)
    return bool(mapped and mallopt(_M_TRIM_THRESHOLD, _LARGEST_THRESHOLD) and mallopt(_M_ARENA_MAX, 1))
