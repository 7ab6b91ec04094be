"""Evaluation on clips: restore degraded clips with several settings, and compare them with the clean clip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..faces.detection.detector import Detector
from ..faces.detection.load import load_detector, resolve_detector
from ..media.timeline import Span
from ..runtime.device import find_device
from .clip_metrics import ClipMetrics, mean_rows, measure_clips
from .face_metrics import FaceMeter
from .methods import INPUT
from .settings import Setting
from .sheet import SheetRow

#: Restores a clip (first path) to a lossless file (second path) with command-line options, and returns
#: figures of the run itself.
Restore = Callable[[Path, Path, Sequence[str]], Mapping[str, float]]


class ClipEvaluator:
    """Measures clips against clean ones."""

    def __init__(
        self, *, device: str = "auto", span: Span | None = None, every: int = 1, shown: int = 0
    ) -> None:
        """``span``, ``every`` and ``shown`` are arguments of :func:`.clip_metrics.measure_clips`.

        The detector and the metrics are loaded on first use.
        """
        self._device = device
        self._span = span
        self._every = every
        self._shown = shown

    @cached_property
    def _detector(self) -> Detector:
        return load_detector(resolve_detector("auto").name, find_device(self._device))

    @cached_property
    def _meter(self) -> FaceMeter:
        return FaceMeter(device=find_device(self._device))

    def measure(self, reference: Path, clips: Mapping[str, Path], *, still: bool = False) -> ClipMetrics:
        """Compare clips, by name, with the clean clip ``reference``. Raises InputError."""
        return measure_clips(
            reference,
            clips,
            self._detector,
            self._meter,
            span=self._span,
            every=self._every,
            shown=self._shown,
            still=still,
        )

    def measure_settings(
        self,
        reference: Path,
        clip: Path,
        settings: Sequence[Setting],
        restore: Restore,
        *,
        args: Sequence[str] = (),
        still: bool = False,
    ) -> ClipMetrics:
        """Restore ``clip`` with every setting, and compare it and the results with ``reference``.

        ``args`` are command-line options that all settings share. Raises VidrestoreError.
        """
        with TemporaryDirectory() as folder:
            clips, figures = {INPUT: clip}, {}
            for number, setting in enumerate(settings):
                clips[setting.name] = Path(folder) / f"{number}.mkv"
                figures[setting.name] = restore(clip, clips[setting.name], [*args, *setting.args])
            metrics = self.measure(reference, clips, still=still)
        rows = {name: row | figures.get(name, {}) for name, row in metrics.rows.items()}
        return replace(metrics, rows=rows)


def settings_report(results: Mapping[str, ClipMetrics]) -> dict[str, Any]:
    """Return the figures of several clips, by name, as JSON can represent them; of two or more also the
    means."""
    report: dict[str, Any] = {"clips": {clip: metrics.data("settings") for clip, metrics in results.items()}}
    if len(results) > 1:
        report["mean"] = mean_rows([metrics.rows for metrics in results.values()])
    return report


def settings_sheet(results: Mapping[str, ClipMetrics]) -> tuple[list[str], list[SheetRow]]:
    """Return the columns and rows of one contact sheet for several clips with the same settings."""
    columns = [*next(iter(results.values())).rows, "clean"]
    rows = [
        (f"{Path(clip).name}: {label}", images)
        for clip, metrics in results.items()
        for label, images in metrics.sheet
    ]
    return columns, rows
