"""Where the time of a run goes: each stage's work and waiting, and what parts of the work take."""

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
    """One stage, in seconds of the clock; written by the threads at both ends of its queue."""

    name: str
    depth: int = 0  #: room in its queue
    seconds: float = 0.0  #: from its beginning to its end
    blocked: float = 0.0  #: of these, waiting for room in its queue
    awaited: float = 0.0  #: how long the next stage waited for an item of this one
    items: int = 0  #: that it gave on
    queued: int = 0  #: items in its queue, summed over each time one was taken


@dataclass(slots=True)
class Section:
    """Work of one kind, in whatever stage it is done."""

    seconds: float = 0.0  #: of the clock; on CUDA what it takes to hand the work over
    gpu: float = 0.0  #: seconds between its first and last piece of work on a CUDA device
    calls: int = 0
    items: int = 0  #: faces or pictures


@dataclass(slots=True)
class _GpuTimes:
    """What a CUDA device spent on sections, from events around each. They are read once they have passed,
    so that nothing waits for them."""

    last: Any  #: the latest event that has been read
    busy: float = 0.0  #: seconds within any section; what overlaps counts once
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
    """Collects the times of one run: a few additions for each frame and batch, whatever its length."""

    #: Sections that are the restoring network's.
    NETWORK = ("observe", "render")

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.stages: list[StageTimes] = []
        self.sections: dict[str, Section] = {}
        self.device = torch.device(device)
        self._lock = threading.Lock()
        self._gpu = _GpuTimes(self._event()) if self.device.type == "cuda" else None

    def stage(self, name: str, depth: int) -> StageTimes:
        """The next stage, to be written to."""
        self.stages.append(StageTimes(name, depth))
        return self.stages[-1]

    def finish(self, last: StageTimes) -> None:
        """The run has ended, with its last stage."""
        if self.stages:
            last.items = self.stages[-1].items
        self.stages.append(last)
        if self._gpu:
            self._gpu.finish()

    @contextmanager
    def section(self, name: str, items: int = 1) -> Iterator[None]:
        """Count the work within as ``name``, done to so many ``items``."""
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
        """``work``, each call of which is counted as one item of a section."""

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
        """Seconds from the first frame's decoding to the last one's encoding, loading left out."""
        return self.stages[-1].seconds if self.stages else 0.0

    @property
    def network(self) -> Section:
        """The restoring network's share: its two steps together, of as many faces as the second saw."""
        parts = [self.sections.get(name, Section()) for name in self.NETWORK]
        return Section(
            sum(part.seconds for part in parts),
            sum(part.gpu for part in parts),
            sum(part.calls for part in parts),
            parts[-1].items,
        )

    @property
    def gpu_idle(self) -> float | None:
        """The share of the run in which a CUDA device had none of the sections' work; None without one."""
        return 1 - self._gpu.busy / self.wall if self._gpu and self.wall else None

    def data(self) -> dict[str, Any]:
        """All of it, made of numbers, strings, lists and dictionaries. Times are in seconds; ``share`` is of
        the run's wall time, ``queue`` the mean number of items waiting, of ``room``."""
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
        """:meth:`data` for a person: a line for each stage, and for each section."""
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
