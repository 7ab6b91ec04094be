"""What a run sets for its process."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest
import torch

from vidrestore.runtime import host
from vidrestore.runtime.host import network_threads, prepare_host, side_workers, usable_cores


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (4, 4), (8, 7), (16, 14), (64, 56)])
def test_threads_for_cores(cores, threads):
    assert network_threads(cores) == threads


@pytest.mark.parametrize(("cores", "workers"), [(1, 0), (2, 0), (4, 1), (16, 4), (64, 16)])
def test_workers_beside_the_networks(cores, workers):
    assert side_workers(cores) == workers


@pytest.fixture
def machine(monkeypatch):
    """Four cores of two threads each, of which six are this process's: 0, 1, 2 and 4, 5, 6."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 4, 5, 6}, raising=False)
    monkeypatch.setattr(host, "_siblings", lambda processor: str(processor % 4))
    monkeypatch.setattr(host, "_quota", lambda path: None)


@pytest.mark.parametrize(("quota", "cores"), [(None, 3), (8.0, 3), (2.5, 2), (0.5, 1)])
def test_cores_are_physical_ones_within_what_is_allowed(machine, monkeypatch, quota, cores):
    monkeypatch.setattr(host, "_quota", lambda path: quota)
    assert usable_cores() == cores


@pytest.mark.parametrize(
    ("text", "quota"), [("max 100000\n", None), ("150000 100000\n", 1.5), ("", None), (None, None)]
)
def test_a_control_group_may_give_less(tmp_path, text, quota):
    path = tmp_path / "cpu.max"
    if text is not None:
        path.write_text(text)
    assert host._quota(path) == quota


@pytest.mark.parametrize(("variable", "threads"), [(None, 3), ("OMP_NUM_THREADS", 7), ("MKL_NUM_THREADS", 7)])
def test_who_chose_threads_keeps_them(machine, monkeypatch, variable, threads):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    if variable:
        monkeypatch.setenv(variable, "7")
    monkeypatch.setattr(host, "keep_freed_memory", lambda: True)
    found = [7]
    monkeypatch.setattr(torch, "set_num_threads", lambda count: found.append(count))
    prepare_host()
    assert found[-1] == threads


_FAULTS = """
import resource, torch
from vidrestore.runtime.host import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
torch.ones(16 << 20)  # 64 MB
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    torch.ones(16 << 20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's allocator")
def test_large_blocks_are_not_mapped_anew():
    faults = {}
    for keep in (False, True):
        command = [sys.executable, "-c", _FAULTS.format(keep=keep)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        faults[keep] = int(done.stdout)
    # Half of them at least, though pages may be huge ones or the machine short of memory.
    assert faults[True] < faults[False] / 2
