"""Patches to a finished file: what its format can hold, but FFmpeg's muxer or PyAV cannot write.

The muxer collects finalizers while it writes, and calls each with the path of the closed file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from .matroska import write_aspect_ratios
from .quicktime import write_languages

#: Codecs whose packets hold the sample aspect ratio where every reader finds it.
_RATIO_IN_PACKETS = ("h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4")


class Finalizer(Protocol):
    """Patches a finished file."""

    def __call__(self, path: Path) -> None: ...


class TrackLanguages:
    """Writes the languages of a QuickTime file's tracks, in their order."""

    def __init__(self, languages: Sequence[str | None]) -> None:
        self._languages = languages

    def __call__(self, path: Path) -> None:
        write_languages(path, self._languages)


class AspectRatios:
    """Writes the sample aspect ratios of a Matroska file's video tracks, in their order."""

    def __init__(self, on_loss: Callable[[str], None]) -> None:
        """``on_loss`` is called with the ratios, as text, that could not be written."""
        self._ratios: list[Fraction | None] = []
        self._header_only: list[Fraction] = []
        self._on_loss = on_loss

    def add(self, ratio: Fraction | None, codec: str) -> None:
        """Add the next video track. A ratio of 0 is an unknown one, as is None: PyAV 19 says 0."""
        ratio = None if not ratio or ratio == 1 else ratio
        self._ratios.append(ratio)
        if ratio is not None and codec not in _RATIO_IN_PACKETS:
            self._header_only.append(ratio)

    def skip(self) -> None:
        """Report what is lost because the file cannot be patched."""
        if self._header_only:
            self._on_loss(", ".join(f"{ratio.numerator}:{ratio.denominator}" for ratio in self._header_only))

    def __call__(self, path: Path) -> None:
        if any(self._ratios) and not write_aspect_ratios(path, self._ratios):
            self.skip()
