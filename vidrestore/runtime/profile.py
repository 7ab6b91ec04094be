"""Measure where the time of a run goes: work and waiting of each stage, and time in parts of the work."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch

Result = TypeVar("Result")


@dataclass(slots=True)
class StageTimes:
    """Wall times of one stage, in seconds. Written by the threads at both ends of its queue."""

    name: str
    depth: int = 0  #: capacity of its queue
    seconds: float = 0.0  #: from its start to its end
    blocked: float = 0.0  #: part of ``seconds``: waiting for room in its queue
    awaited: float = 0.0  #: time that the next stage waited for items of this one
    items: int = 0  #: number of items that it passed on
    queued: int = 0  #: length of its queue, summed over all times an item was taken


@dataclass(slots=True)
class Section:
    """Work of one kind, in any stage."""

    seconds: float = 0.0  #: wall time; on CUDA, the time to launch the work
    gpu: float = 0.0  #: seconds between the events before and after its work on a CUDA device
    calls: int = 0
    items: int = 0  #: faces or images


@dataclass(slots=True)
class _GpuTimes:
    """Time that a CUDA device spent in sections, from an event before and after each.

    Events are read once the device has passed them, so that nothing waits for them.
    """

    last: Any  #: the latest event that has been read
    busy: float = 0.0  #: seconds in any section; overlaps count once
    pending: deque[tuple[Section, Any, Any]] = field(default_factory=deque)

    def add(self, section: Section, began: Any, ended: Any) -> None:
        self.pending.append((section, began, ended))
        while self.pending and self.pending[0][2].query():
            self._read(*self.pending.popleft())

    def finish(self) -> None:
        while self.pending:
            self.pending[0][2].synchronize()
            self._read(*self.pending.popleft())

    def _read(self, section: Section, began: Any, ended: Any) -> None:
        section.gpu += began.elapsed_time(ended) / 1e3
        beyond = self.last.elapsed_time(ended)
        if beyond > 0:
            self.busy += (beyond - max(0.0, self.last.elapsed_time(began))) / 1e3
            self.last = ended


class Profile:
    """Collects the times of one run, at the cost of a few additions per frame and batch."""

    #: The sections of the restoration network.
    NETWORK = ("observe", "render")

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.stages: list[StageTimes] = []
        self.sections: dict[str, Section] = {}
        self.device = torch.device(device)
        self._lock = threading.Lock()
        self._gpu = _GpuTimes(self._event()) if self.device.type == "cuda" else None

    def __getstate__(self) -> dict[str, Any]:
        """The figures. The lock and the events of a CUDA device, which cannot be copied, are left out, so a
        copy does not measure any further."""
        gpu = _GpuTimes(last=None, busy=self._gpu.busy) if self._gpu else None
        return {name: value for name, value in vars(self).items() if name != "_lock"} | {"_gpu": gpu}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock())

    def stage(self, name: str, depth: int) -> StageTimes:
        """Add a stage with a queue of ``depth`` items; the scheduler writes its times to the result."""
        self.stages.append(StageTimes(name, depth))
        return self.stages[-1]

    def finish(self, last: StageTimes) -> None:
        """End the run, with the times of its last stage."""
        if self.stages:
            last.items = self.stages[-1].items
        self.stages.append(last)
        if self._gpu:
            self._gpu.finish()

    @contextmanager
    def section(self, name: str, items: int = 1) -> Iterator[None]:
        """Add the time inside the context, and the number of ``items`` worked on, to the section ``name``."""
        began, event = time.perf_counter(), self._event()
        try:
            yield
        finally:
            seconds, end = time.perf_counter() - began, self._event()
            with self._lock:
                section = self.sections.setdefault(name, Section())
                section.seconds += seconds
                section.calls += 1
                section.items += items
                if self._gpu:
                    self._gpu.add(section, event, end)

    def timed(self, name: str, work: Callable[..., Result]) -> Callable[..., Result]:
        """Return ``work`` such that each call counts as one item of the section ``name``."""

        def counted(*args: Any) -> Result:
            with self.section(name):
                return work(*args)

        return counted

    def _event(self) -> Any:
        if self.device.type != "cuda":
            return None
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self.device))
        return event

    @property
    def wall(self) -> float:
        """Seconds from decoding the first frame to encoding the last one, without loading."""
        return self.stages[-1].seconds if self.stages else 0.0

    @property
    def network(self) -> Section:
        """Both steps of the restoration network together; its items are those of the second step."""
        parts = [self.sections.get(name, Section()) for name in self.NETWORK]
        return Section(
            sum(part.seconds for part in parts),
            sum(part.gpu for part in parts),
            sum(part.calls for part in parts),
            parts[-1].items,
        )

    @property
    def gpu_idle(self) -> float | None:
        """Share of the wall time in which a CUDA device had no work of any section; None without CUDA."""
        return 1 - self._gpu.busy / self.wall if self._gpu and self.wall else None

    def data(self) -> dict[str, Any]:
        """Return all figures as numbers, strings, lists and dictionaries.

        Times are in seconds. ``share`` is relative to the wall time of the run; ``queue`` is the mean number
        of waiting items, and ``room`` the capacity of the queue.
        """
        wall = self.wall or 1e-9
        stages, waited = [], 0.0
        for times in self.stages:
            busy = max(0.0, times.seconds - times.blocked - waited)
            stages.append(
                {
                    "name": times.name,
                    "busy": busy,
                    "share": busy / wall,
                    "waits_for_input": waited,
                    "waits_for_room": times.blocked,
                    "frames": times.items,
                    "queue": times.queued / (times.items + 1),
                    "room": times.depth,
                }
            )
            waited = times.awaited
        sections = {**self.sections, "network": self.network}
        return {
            "wall": self.wall,
            "frames": self.stages[-1].items if self.stages else 0,
            "stages": stages,
            "sections": {
                name: {
                    "seconds": section.seconds,
                    "share": section.seconds / wall,
                    "gpu_seconds": section.gpu,
                    "calls": section.calls,
                    "items": section.items,
                }
                for name, section in sections.items()
            },
            "gpu_idle": self.gpu_idle,
        }

    def table(self) -> str:
        """Return :meth:`data` as a table for people: one line per stage, then one per section."""
        data = self.data()
        lines = ["stage          busy  share  waits: input     room    queue   ms/frame"]
        for stage in data["stages"]:
            queue = f"{stage['queue']:.1f}/{stage['room']}" if stage["room"] else ""
            each = 1e3 * stage["busy"] / max(1, stage["frames"])
            lines.append(
                f"{stage['name']:10}{stage['busy']:7.1f} s{stage['share']:7.1%}"
                f"{stage['waits_for_input']:12.1f} s{stage['waits_for_room']:7.1f} s{queue:>9}{each:11.1f}"
            )
        lines.append(
            "of which       time  share     items  in calls  ms/item" + "    GPU time" * bool(self._gpu)
        )
        for name, section in sorted(data["sections"].items(), key=lambda entry: -entry[1]["seconds"]):
            each = 1e3 * section["seconds"] / max(1, section["items"])
            gpu = f"{section['gpu_seconds']:10.1f} s" if self._gpu else ""
            lines.append(
                f"{name:10}{section['seconds']:7.1f} s{section['share']:7.1%}{section['items']:10}"
                f"{section['calls']:10}{each:9.1f}{gpu}"
            )
        if data["gpu_idle"] is not None:
            lines.append(f"the GPU was idle for {data['gpu_idle']:.1%}")
        lines.append(f"{data['frames']} frames in {self.wall:.1f} s, loading left out")
        return "\n".join(lines)
