"""Numbers of threads, and the allocator's settings."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
import torch

from vidrestore.runtime import host
from vidrestore.runtime.host import (
    background_workers,
    network_threads,
    network_workers,
    prepare_process,
    usable_cores,
)


@pytest.mark.parametrize(
    ("cores", "threads", "faces"),
    [(1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 1, 4), (8, 1, 4), (16, 3, 4), (64, 14, 4)],
)
def test_cores_are_shared_among_faces_first(monkeypatch, cores, threads, faces):
    assert network_threads(cores) == threads
    monkeypatch.setattr(host, "usable_cores", lambda: cores)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert network_workers() == faces


@pytest.mark.parametrize(("threads", "faces"), [(2, 4), (4, 2), (8, 1), (16, 1)])
def test_with_more_threads_per_face_fewer_faces_are_processed_at_once(monkeypatch, threads, faces):
    monkeypatch.setattr(host, "usable_cores", lambda: 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert network_workers() == faces


@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 0), (4, 1), (16, 4), (64, 16)])
def test_background_workers(cores, workers):
    assert background_workers(cores) == workers


@pytest.fixture(autouse=True)
def _no_cached_cores():
    """Clear the cache, which holds for a whole process, for each test."""
    usable_cores.cache_clear()
    yield
    usable_cores.cache_clear()


@pytest.fixture
def machine(monkeypatch):
    """Four cores with two logical processors each; this process may use 0, 1, 2 and 4, 5, 6."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 4, 5, 6}, raising=False)
    monkeypatch.setattr(host, "_siblings", lambda processor: str(processor % 4))
    monkeypatch.setattr(host, "_quota", lambda path: None)


@pytest.mark.parametrize(("quota", "cores"), [(None, 3), (8.0, 3), (2.5, 2), (0.5, 1)])
def test_physical_cores_within_affinity_and_quota(machine, monkeypatch, quota, cores):
    monkeypatch.setattr(host, "_quota", lambda path: quota)
    assert usable_cores() == cores


def test_without_affinity_cores_are_read_before_threads_are_set(monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(host, "keep_freed_memory", lambda: True)
    threads = [8]
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads[-1])
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    prepare_process()
    assert (threads[-1], network_workers()) == (1, 4)


@pytest.mark.parametrize(
    ("text", "quota"), [("max 100000\n", None), ("150000 100000\n", 1.5), ("", None), (None, None)]
)
def test_the_quota_of_a_control_group(tmp_path, text, quota):
    path = tmp_path / "cpu.max"
    if text is not None:
        path.write_text(text)
    assert host._quota(path) == quota


@pytest.mark.parametrize("variable", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
@pytest.mark.parametrize(("text", "cores"), [("7", 7), ("1", 1), ("0", 1), ("", 3), ("many", 3)])
def test_variables_set_the_number_of_cores(machine, monkeypatch, variable, text, cores):
    monkeypatch.setenv(variable, text)
    assert usable_cores() == cores


def test_a_run_sets_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(host, "usable_cores", lambda: 16)
    monkeypatch.setattr(host, "keep_freed_memory", lambda: True)
    found = []
    monkeypatch.setattr(torch, "set_num_threads", found.append)
    prepare_process()
    assert found == [3]


_BLOCKS = """
import ctypes, torch
from vidrestore.runtime.host import keep_freed_memory
if {keep}:
    assert keep_freed_memory()

class Info(ctypes.Structure):  # mallinfo(3)
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_int) for name in names.split()]

info = ctypes.CDLL(None).mallinfo
info.restype = Info
before = info().hblks
block = torch.ones(16 << 20)  # 64 MB
mapped = info().hblks - before
del block
print(mapped, info().fordblks >> 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
@pytest.mark.parametrize("keep", [False, True])
def test_large_blocks_are_kept_when_freed(keep):
    command = [sys.executable, "-c", _BLOCKS.format(keep=keep)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    mapped, kept = map(int, done.stdout.split())
    assert mapped == (0 if keep else 1)
    assert (kept >= 64) is keep  # MB that the allocator has at hand
