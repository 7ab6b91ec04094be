"""The record of a run: with what it was made, and what was done to every face in every frame."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch

from .. import __version__
from ..faces.face import PersonSettings, TrackSettings
from ..faces.recorded.recording import Origin
from ..option_types import display_name, text_of
from ..options import Options
from ..stages.setup import AnalysisSetup, Setup
from ..weights.registry import REGISTRY, with_hash
from ..weights.store import fingerprint
from .entries import FrameEntry, frame_entries
from .flags import Flag, FlagFinder
from .overview import Overview
from .spool import Spool

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All that is known of a run when it is over."""

    options: Options
    origin: Origin  #: the video, or the part of one
    setup: AnalysisSetup
    licence: str | None  #: of the restorer's weights; None if nothing was restored
    times: Mapping[str, Any]  #: where the time went
    settings: Mapping[int, TrackSettings]  #: of tracks
    persons: Mapping[int, PersonSettings]
    notes: Spool

    def frames(self) -> Iterator[FrameEntry]:
        """Every frame, in their order."""
        return frame_entries(self.notes, self.origin.time_base, self.origin.begin)

    def overview(self) -> tuple[Overview, list[Flag]]:
        """The shots, tracks and persons, and the flags: reads every frame once."""
        overview, flags = Overview(self.settings, self.persons), FlagFinder()
        for frame in self.frames():
            overview.add(frame)
            flags.add(frame)
        return overview, flags.flags

    @property
    def is_restored(self) -> bool:
        """Whether faces were restored, not only found."""
        return isinstance(self.setup, Setup)

    @property
    def next_options(self) -> Options:
        """The options of a run after this one that differs in what is to be changed."""
        if self.is_restored:
            return self.options
        return replace(self.options, output=None, tracks=self.options.output, report=None, report_json=None)

    def head(self) -> dict[str, Any]:
        """With what it was made, as JSON can hold it."""
        options = self.options
        return {
            "version": VERSION,
            "job": "restore" if self.is_restored else "analyze",
            "made_with": versions(),
            "input": asdict(self.origin)
            | {"time_base": str(self.origin.time_base), "begin": str(self.origin.begin)},
            "output": None if options.output is None else options.output.name,
            "options": {
                display_name(option): _plain(getattr(options, option.name)) for option in fields(options)
            },
            "setup": self.setup.summary(),
            "weights": weights(self.setup, self.licence),
            "times": self.times,
        }


def versions() -> dict[str, str]:
    """The versions of what computes frames."""
    return {
        "vidrestore": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "av": av.__version__,
        "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
    }


def weights(setup: AnalysisSetup, licence: str | None) -> list[dict[str, str]]:
    """The weights of a run: role, name, SHA-256 and licence of each. ``licence`` is the restorer's."""
    used: list[tuple[str, str | Path]] = []
    if isinstance(setup, Setup):
        used.append(("restorer", setup.restorer.weights or setup.restorer.model))
        used += [("restorer", name) for name in setup.restorer.others]
        if setup.restorer.face_parser:
            used.append(("face parser", setup.restorer.face_parser))
        if setup.upscaler:
            used += [("upscaler", source) for source in setup.upscaler.sources]
    if setup.detector:
        used.append(("detector", setup.detector))
    return [
        {
            "role": role,
            "name": source.name if isinstance(source, Path) else source,
            "sha256": fingerprint(source),
            "licence": _licence(source, licence if role == "restorer" else None),
        }
        for role, source in used
    ]


def _licence(source: str | Path, stated: str | None) -> str:
    """The licence of weights; ``stated`` is what loading a file said of it."""
    if isinstance(source, Path):
        known = with_hash(fingerprint(source))
        return stated or (known.licence if known else "unknown")
    return REGISTRY[source].licence


def _plain(value: Any) -> Any:
    """The value of an option as JSON can hold it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple):
        return [text_of(each) for each in value]
    return str(value)
