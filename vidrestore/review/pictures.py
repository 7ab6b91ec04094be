"""Pictures of faces at certain times of a video, read by seeking, as data URIs."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from ..errors import VidrestoreError
from ..media.decode.decoder import Decoder
from ..media.frames.frame import Frame
from ..media.probe import open_input
from ..media.timeline import Span

#: Places at most so many seconds apart are read in one go.
_TOGETHER = 1.0
#: A frame may be off its time by this many seconds: containers round.
_OFF = 0.012
#: Side of what is shown, relative to the longer side of a face's box.
_AROUND = 1.5
_QUALITY = 82


#: x0, y0, x1, y1 in pixels of the upright frame.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A face at a time."""

    time: float  #: seconds from the beginning of the timeline
    box: Box


def read_places(
    path: Path,
    places: Sequence[Place],
    size: int,
    *,
    video_stream: int | None = None,
    rate: Fraction | None = None,
    deinterlace: str = "off",
    zero: Fraction | None = None,
) -> list[str | None]:
    """A picture of ``size`` x ``size`` pixels of each place in a video, as a data URI; None where no frame
    could be read.

    Times of places are counted from the timestamp ``zero`` in seconds, by default from the beginning of the
    timeline. The other keywords are those of ``Decoder``.
    """
    late = 0.0  #: seconds by which the timeline begins after ``zero``
    if zero is not None:
        with suppress(VidrestoreError), open_input(path) as container:
            late = float(Fraction(container.start_time or 0, av.time_base) - zero)
    found: list[str | None] = [None] * len(places)
    order = sorted(range(len(places)), key=lambda number: places[number].time)
    with _quiet():
        for group in _grouped(order, places):
            first, last = places[group[0]].time - late, places[group[-1]].time - late
            span = Span(Fraction(max(0.0, first - _OFF)), Fraction(last + 2 * _OFF))
            try:
                with Decoder(
                    path, span, video_stream=video_stream, rate=rate, deinterlace=deinterlace
                ) as decoder:
                    waiting = list(group)
                    for frame in decoder:
                        time = float(frame.time - decoder.timeline.begin) + late
                        while waiting and places[waiting[0]].time < time - _OFF:
                            waiting.pop(0)
                        while waiting and abs(places[waiting[0]].time - time) <= _OFF:
                            number = waiting.pop(0)
                            found[number] = data_uri(_crop(frame, places[number], size))
                        if not waiting:
                            break
            except VidrestoreError:
                continue  # a picture less is no reason for a run to fail
    return found


def data_uri(picture: np.ndarray) -> str:
    """A picture (H, W, 3) uint8 BGR as WebP."""
    _, encoded = cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return "data:image/webp;base64," + base64.b64encode(encoded.tobytes()).decode()


def _crop(frame: Frame, place: Place, size: int) -> np.ndarray:
    x0, y0, x1, y1 = place.box
    x0, x1 = x0 * frame.upright_aspect, x1 * frame.upright_aspect  # in square pixels
    scale = size / (_AROUND * max(x1 - x0, y1 - y0, 1.0))
    left, top = (x0 + x1) / 2 - size / scale / 2, (y0 + y1) / 2 - size / scale / 2
    matrix = np.array([[scale, 0, -scale * left], [0, scale, -scale * top], [0, 0, 1]])
    matrix = matrix @ np.diag((frame.upright_aspect, 1, 1)) @ frame.upright
    rgb = frame.image().read(matrix, size)
    return (rgb * 255).round().byte().permute(1, 2, 0).flip(2).contiguous().numpy()


def _grouped(order: Sequence[int], places: Sequence[Place]) -> Iterator[list[int]]:
    """The numbers in ``order``, those of neighbouring places together."""
    group: list[int] = []
    for number in order:
        if group and places[number].time - places[group[-1]].time > _TOGETHER:
            yield group
            group = []
        group.append(number)
    if group:
        yield group


@contextmanager
def _quiet() -> Iterator[None]:
    """Warnings about the file were given when it was restored."""
    log = logging.getLogger("vidrestore.media")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)
