"""Monitoring a long run."""

from __future__ import annotations

from mmap import mmap

import pytest

from vidrestore.measure.speed import long_run
from vidrestore.measure.speed.long_run import RunMonitor, peak_mb, resident_mb

pytest.importorskip("resource")  # not on Windows


def test_speed_and_memory_of_each_part(monkeypatch):
    clock = iter(float(t) for t in range(0, 100, 2))
    monkeypatch.setattr(long_run.time, "perf_counter", lambda: next(clock))
    monitor = RunMonitor(25, parts=5)
    for frame in range(1, 26):
        monitor(frame, frame // 5)
    assert [row["frames"] for row in monitor.rows] == [5, 10, 15, 20, 25]
    assert [row["faces"] for row in monitor.rows] == [1] * 5
    assert [row["frames_per_second"] for row in monitor.rows] == [2.5] * 5
    assert all(0 < row["resident_mb"] <= peak_mb() * 1.01 for row in monitor.rows)


@pytest.mark.skipif(not long_run._STATUS.exists(), reason="the system does not report current memory")
def test_memory_is_that_of_this_process():
    before, megabyte = resident_mb(), bytes(1 << 20)
    with mmap(-1, 200 << 20) as ballast:  # memory that was never freed before
        for _ in range(200):
            ballast.write(megabyte)
        assert 150 < resident_mb() - before < 250
        assert peak_mb() >= resident_mb() * 0.99
