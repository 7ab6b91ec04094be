"""Times add up: of sections, and of a device's work that overlaps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
import torch

from vidrestore.runtime.profile import Profile, Section, StageTimes, _GpuTimes


@dataclass
class Event:
    """As a CUDA event that was recorded at a time, in ms."""

    at: float
    passed: bool = True

    def elapsed_time(self, other: Event) -> float:
        return other.at - self.at

    def query(self) -> bool:
        return self.passed

    def synchronize(self) -> None:
        self.passed = True


@pytest.mark.parametrize(
    ("spans", "busy"),
    [
        ([(0, 10), (20, 30)], 20),
        ([(5, 10), (10, 30)], 25),
        ([(0, 10), (5, 15)], 15),
        ([(0, 30), (10, 20), (25, 40)], 40),
    ],
    ids=["apart", "touching", "overlapping", "within"],
)
def test_work_that_overlaps_counts_once(spans, busy):
    times, section = _GpuTimes(Event(0)), Section()
    for began, ended in spans:
        times.add(section, Event(began), Event(ended))
    times.finish()
    assert times.busy * 1e3 == pytest.approx(busy)
    assert section.gpu * 1e3 == pytest.approx(sum(b - a for a, b in spans))


def test_events_are_read_once_they_have_passed():
    times, section = _GpuTimes(Event(0)), Section()
    times.add(section, Event(0), Event(10, passed=False))
    times.add(section, Event(10), Event(20))
    assert (section.gpu, len(times.pending)) == (0, 2)
    times.finish()
    assert section.gpu * 1e3 == pytest.approx(20)


def test_sections_count_what_they_took_even_where_they_fail():
    profile = Profile()
    with profile.section("observe", 3):
        time.sleep(0.02)
    with pytest.raises(KeyError), profile.section("render", 3):
        raise KeyError
    assert profile.timed("align", lambda a, b: a + b)(1, 2) == 3
    assert profile.sections["observe"].seconds >= 0.02
    assert (profile.network.calls, profile.network.items) == (2, 3)


def test_the_table_names_every_stage_and_section():
    profile = Profile()
    profile.stage("decode", 4).items = 7
    with profile.section("observe", 5):
        pass
    profile.finish(StageTimes("encode", seconds=2.0))
    table = profile.table()
    for word in ("decode", "encode", "observe", "network", "7 frames in 2.0 s"):
        assert word in table
    assert "GPU" not in table


@pytest.mark.gpu
def test_a_device_that_waits_is_idle():
    profile = Profile("cuda")
    x = torch.randn(4096, 4096, device="cuda")
    x @ x
    torch.cuda.synchronize()
    with_work = Profile("cuda")
    began = time.perf_counter()
    for _ in range(5):
        with with_work.section("observe"):
            for _ in range(20):
                x @ x
        torch.cuda.synchronize()
        time.sleep(0.2)
    with_work.finish(StageTimes("encode", seconds=time.perf_counter() - began))
    assert 0.2 < with_work.gpu_idle < 1
    assert with_work.sections["observe"].gpu > 0
    assert profile.gpu_idle is None  # it has no wall time
