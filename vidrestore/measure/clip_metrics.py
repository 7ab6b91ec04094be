"""Everything that is measured of clips against the clean one: their pictures, and how they hold still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor
from tqdm import tqdm

from ..errors import InputError
from ..faces.detection.detector import Detector
from ..media.timeline import Span
from .clips import clip_faces
from .face_metrics import FaceMeter
from .landmarks import landmark_jitter
from .sheet import thumbnail
from .steadiness import StaticFlicker, SteadinessMeter
from .tables import Tally


@dataclass(frozen=True)
class Footage:
    """What was measured of M clips of the same frames."""

    frames: list[int]  #: frame of each face of the clean clip, counted from 0
    tracks: list[int]  #: and its track
    rows: dict[str, dict[str, float]]  #: figures of each clip by its name
    series: dict[str, dict[str, list[float]]]  #: by clip: of each face or pair of faces, in their order
    sheet: list[tuple[str, list[np.ndarray]]]  #: rows of a contact sheet: the clips, then the clean one


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
) -> Footage:
    """Compare the faces of ``clips``, by their names, with those of ``reference``.

    ``span`` is the part of them all that is looked at. The comparisons of single pictures, which take the
    most time, are of ``every`` so manyeth face; those over time of all. ``shown`` faces or up to twice as
    many, evenly spread, are put on the sheet. ``still`` says that the scene does not move: then the
    deviation over time is measured of its first track too, as ``static``. A figure for which
    there are too few frames is left out. Raises InputError.
    """
    tallies = {name: Tally() for name in clips}
    frames: list[int] = []
    tracks: list[int] = []
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
            static.add(face.pictures)
        if number % every == 0:
            comparison = meter.compare(face.pictures, meter.reference(face.clean))
            for i, tally in enumerate(tallies.values()):
                tally.add(comparison, i)
        sheet.add(f"frame {face.frame}, face {face.track}", [*face.pictures, face.clean])
    if not frames:
        raise InputError(f"no face was found in {reference}; there is nothing to compare")
    overall = steadiness.figures() | landmark_jitter(reference, paths, detector, span=span)
    if still and tracks.count(tracks[0]) > 1:
        overall["static"] = static.result()
    rows, series = {}, {}
    for i, (name, tally) in enumerate(tallies.items()):
        rows[name] = tally.summary()
        rows[name] |= {key: float(values[i]) for key, values in overall.items() if np.isfinite(values[i])}
        over_time = {key: values[:, i].tolist() for key, values in steadiness.series().items()}
        series[name] = tally.figures | over_time
    return Footage(frames, tracks, rows, series, sheet.rows)


def mean_rows(tables: list[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """The means of tables of the same rows; a figure that any of them lacks is left out."""
    means = {}
    for name, first in tables[0].items():
        keys = [key for key in first if all(key in table[name] for table in tables)]
        means[name] = {key: float(np.mean([table[name][key] for table in tables])) for key in keys}
    return means


class _Sheet:
    """Every so manyeth face that comes by, however many come: from time to time every second one of what
    there is gives way."""

    def __init__(self, shown: int) -> None:
        self._shown, self._step, self._seen = shown, 1, 0
        self.rows: list[tuple[str, list[np.ndarray]]] = []

    def add(self, label: str, pictures: list[Tensor]) -> None:
        if self._shown and self._seen % self._step == 0:
            self.rows.append((label, [thumbnail(p.permute(1, 2, 0).numpy()) for p in pictures]))
            if len(self.rows) > 2 * self._shown:
                self.rows, self._step = self.rows[::2], 2 * self._step
        self._seen += 1
