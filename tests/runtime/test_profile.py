"""Times of sections, and of work on a device that overlaps, add up."""

from __future__ import annotations

import copy
import pickle
import threading
import time
from dataclasses import dataclass
from itertools import count
from types import SimpleNamespace

import pytest
import torch

from vidrestore.runtime import profile as profile_module
from vidrestore.runtime.profile import Profile, Section, StageTimes, _GpuTimes


@dataclass
class Event:
    """Stands in for a CUDA event recorded at a time ``at`` in ms."""

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
def test_overlapping_work_counts_once(spans, busy):
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


def test_sections_are_timed_even_if_they_fail(monkeypatch):
    clock = count(step=0.25)
    monkeypatch.setattr(profile_module, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    profile = Profile()
    with profile.section("observe", 3):
        pass
    with pytest.raises(KeyError), profile.section("render", 3):
        raise KeyError
    assert profile.timed("align", lambda a, b: a + b)(1, 2) == 3
    assert profile.sections["observe"].seconds == 0.25
    assert profile.sections["render"].seconds == 0.25
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
def test_a_waiting_device_is_idle():
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
    assert 0 < with_work.gpu_idle < 1
    assert with_work.sections["observe"].gpu > 0
    assert profile.gpu_idle is None  # without any wall time


def test_a_profile_can_be_copied_and_sent_to_another_process():
    profile = Profile()
    profile.stage("decode", 4)
    with profile.section("align"):
        pass
    profile._gpu = _GpuTimes(threading.Lock(), busy=0.5)  # a lock cannot be copied, like an event
    for copied in (copy.deepcopy(profile), pickle.loads(pickle.dumps(profile))):
        assert copied.data() == profile.data()
        assert copied.table() == profile.table()
