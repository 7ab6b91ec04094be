"""What OUT loses of the side data of frames, which some encoders write and others leave out."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ...errors import LossError
from ..containers import Container
from ..frames.pixel_format import planar_equivalent
from ..frames.side_data import (
    CAPTIONS,
    PAN_SCAN_SIZE,
    SPHERICAL,
    STEREO,
    TIMECODES,
    TRANSPARENCY,
    USER_DATA,
)
from ..source_video import SourceVideo
from .nearest_format import holds_alpha
from .settings import EncoderConfig
from .stream_parameters import can_carry

log = logging.getLogger(__name__)

#: For each encoder the kinds of side data that it writes, and the option that must be set for each; None if
#: that needs no option.
_WRITERS: Mapping[str, Mapping[str, str | None]] = {
    "libx264": {CAPTIONS: "a53cc", USER_DATA: "udu_sei"},
    "libx264rgb": {CAPTIONS: "a53cc", USER_DATA: "udu_sei"},
    "libx265": {CAPTIONS: "a53cc"},  # it writes user data under its own UUID, where no reader finds them
    "h264_nvenc": {CAPTIONS: "a53cc", USER_DATA: "udu_sei", TIMECODES: "s12m_tc"},
    "hevc_nvenc": {CAPTIONS: "a53cc", USER_DATA: "udu_sei", TIMECODES: "s12m_tc"},
    "mpeg2video": {CAPTIONS: "a53cc", PAN_SCAN_SIZE: None},
}
#: What may also begin after the first frame.
_LATER = {CAPTIONS, TIMECODES}


def side_data_options(encoder: str, side_data: frozenset[str]) -> dict[str, str]:
    """Options that make an encoder write what it can of the side data of a video, whose first frame has
    ``side_data``."""
    writes = _WRITERS.get(encoder, {})
    return {option: "1" for kind, option in writes.items() if option and kind in side_data | _LATER}


class SideDataLosses:
    """Reports what OUT loses of the side data of its frames, each kind once, and what the first frame loses
    only if it is asked to: that is known before any work."""

    def __init__(
        self, source: SourceVideo, encoder: EncoderConfig, container: Container, *, strict: bool
    ) -> None:
        """With ``strict`` a loss is a LossError, otherwise a warning."""
        self._source, self._strict = source, strict
        self._seen = set(source.side_data)
        self._kept = {
            kind
            for kind, option in _WRITERS.get(encoder.codec, {}).items()
            if option is None or encoder.options.get(option) == "1"
        }
        has_alpha = planar_equivalent(encoder.pix_fmt).has_alpha
        is_alpha_held = holds_alpha(container, encoder.codec)
        self._writer = f"{encoder.codec} does not write" + (
            "" if is_alpha_held else f" in {container.extension}"
        )
        if is_alpha_held if has_alpha else encoder.is_format_requested:
            self._kept.add(TRANSPARENCY)
        if can_carry(encoder.codec) or source.presentation.boxes(container):
            held = source.presentation.held_by(container)
            self._kept |= {SPHERICAL} if held.projection else set()
            self._kept |= {STEREO} if held.stereo_mode else set()

    def report_first(self) -> None:
        """Report what is lost of the first frame. Raises LossError if ``strict`` was set."""
        self._seen.clear()
        self.report(self._source.side_data)

    def report(self, side_data: frozenset[str]) -> None:
        """Report what is lost of a frame with ``side_data``, if that was not yet reported. Raises LossError
        if ``strict`` was set."""
        if side_data <= self._seen:
            return
        lost = sorted(side_data - self._seen - self._kept)
        if not (lost and self._strict):  # what was refused is refused again
            self._seen |= side_data
        if not lost:
            return
        name = self._source.path.name
        what = f"the video of {name} loses its {' and its '.join(lost)}"
        if self._strict:
            raise LossError(f"--strict: {what}, which {self._writer}; {_advice(lost)}")
        log.warning("%s, which %s", what, self._writer)


def _advice(lost: list[str]) -> str:
    if lost == [TRANSPARENCY]:
        return "ffv1 does, in .mkv"
    encoders = [
        name for name, writes in _WRITERS.items() if "nvenc" not in name and set(lost) <= writes.keys()
    ]
    return f"{encoders[0]} does" if encoders else "leave out --strict to go without"
