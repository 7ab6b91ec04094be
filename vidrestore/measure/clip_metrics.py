"""All metrics of clips against the clean clip: of single images, and of their steadiness over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from tqdm import tqdm

from ..errors import InputError
from ..faces.detection.detector import Detector
from ..media.timeline import Span
from .clips import clip_faces
from .face_metrics import FaceMeter
from .images import to_rows
from .landmarks import landmark_jitter
from .sheet import SheetRow, thumbnail
from .steadiness import StaticFlicker, SteadinessMeter
from .tables import Tally


@dataclass(frozen=True)
class ClipMetrics:
    """The metrics of M clips of the same frames."""

    frames: list[int]  #: frame index of each face of the clean clip
    tracks: list[int]  #: track id of each face
    measured: list[int]  #: which of the faces the figures of single images are of
    rows: dict[str, dict[str, float]]  #: by name of the clip: its figures
    series: dict[str, dict[str, list[float]]]  #: by name of the clip: figures of each face, or pair of faces
    sheet: list[SheetRow]  #: rows of a contact sheet: the M clips, then the clean one

    @property
    def extent(self) -> str:
        """How much was measured, such as "8 faces in 8 frames"."""
        return f"{len(self.frames)} faces in {len(set(self.frames))} frames"

    def data(self, rows_key: str) -> dict[str, Any]:
        """Return everything but the sheet, as JSON can represent it, with the clips under ``rows_key``."""
        rows = {name: row | {"per_face": self.series[name]} for name, row in self.rows.items()}
        faces = {"frame": self.frames, "track": self.tracks, "measured": self.measured}
        return {"faces": faces, rows_key: rows}


def measure_clips(
    reference: Path,
    clips: Mapping[str, Path],
    detector: Detector,
    meter: FaceMeter,
    *,
    span: Span | None = None,
    every: int = 1,
    shown: int = 0,
    still: bool = False,
) -> ClipMetrics:
    """Compare the faces of clips with those of the clean clip ``reference``.

    A figure that needs more frames than there are is omitted, and so are those of single images if no face
    lies in a frame whose single images are measured.

    Args:
        reference: The clean clip.
        clips: Clips of the same frames, by name.
        detector: Detects the faces in the reference, and the landmarks in all clips.
        meter: Measures single images.
        span: The part of all clips to measure; all of it by default.
        every: Measure single images, which takes the most time, in every ``every``-th frame only. The figures
            over time are of all faces.
        shown: Put the faces of frames evenly apart on the sheet, this many, up to twice as many.
        still: The scene does not move: also measure the deviation over time of the first track, as
            ``static``.

    Raises:
        InputError: A clip cannot be read, differs in size or length, or no face was found.
    """
    tallies = {name: Tally() for name in clips}
    frames: list[int] = []
    tracks: list[int] = []
    measured: list[int] = []
    steadiness, static = SteadinessMeter(), StaticFlicker()
    sheet = _Sheet(shown)
    paths = list(clips.values())
    for number, face in enumerate(
        tqdm(clip_faces(reference, paths, detector, span=span), reference.name, unit="face", disable=None)
    ):
        frames.append(face.frame)
        tracks.append(face.track)
        steadiness.add(face)
        if still and face.track == tracks[0]:
            static.add(face.images)
        if face.frame % every == 0:
            measured.append(number)
            comparison = meter.compare(face.images, meter.clean_face(face.clean))
            for i, tally in enumerate(tallies.values()):
                tally.add(comparison, i)
        sheet.add(face.frame, f"frame {face.frame}, face {face.track}", [*face.images, face.clean])
    if not frames:
        raise InputError(f"no face was found in {reference}; give a clip that shows faces")
    overall = steadiness.figures() | landmark_jitter(reference, paths, detector, span=span)
    if still and tracks.count(tracks[0]) > 1:
        overall["static"] = static.result()
    rows, series = {}, {}
    for i, (name, tally) in enumerate(tallies.items()):
        rows[name] = tally.summary()
        rows[name] |= {key: float(values[i]) for key, values in overall.items() if np.isfinite(values[i])}
        over_time = {key: values[:, i].tolist() for key, values in steadiness.series().items()}
        series[name] = tally.figures | over_time
    return ClipMetrics(frames, tracks, measured, rows, series, sheet.rows)


def mean_rows(tables: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Average tables with the same rows. A figure that is missing in any table is omitted."""
    means = {}
    for name, first in tables[0].items():
        keys = [key for key in first if all(key in table[name] for table in tables)]
        means[name] = {key: float(np.mean([table[name][key] for table in tables])) for key in keys}
    return means


class _Sheet:
    """Collects the faces of every n-th frame. When there are more than twice as many as requested, those of
    every second frame are dropped and n doubles."""

    def __init__(self, shown: int) -> None:
        self._shown, self._step = shown, 1
        self._rows: list[tuple[int, SheetRow]] = []

    @property
    def rows(self) -> list[SheetRow]:
        return [row for _, row in self._rows]

    def add(self, frame: int, label: str, images: list[Tensor]) -> None:
        if not self._shown or frame % self._step:
            return
        self._rows.append((frame, (label, [thumbnail(to_rows(image)) for image in images])))
        while len(self._rows) > 2 * self._shown and len({frame for frame, _ in self._rows}) > 1:
            self._step *= 2
            self._rows = [(frame, row) for frame, row in self._rows if frame % self._step == 0]
