"""The holes of frames that are to be filled: from a mask, or all that is pure white; and whether a task fits
its input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..errors import InputError, UsageError
from ..media.decode.decoder import Decoder
from ..media.decode.frame_times import first_number, frame_ticks, span_start
from ..media.frames.frame import Frame, displayed, stored
from ..media.frames.hole import Hole
from ..media.frames.pixel_format import planar_format
from ..media.photo.formats import photo_format
from ..media.photo.picture import Picture
from ..media.photo.reader import read_photo
from ..media.source_video import SourceVideo
from ..media.timeline import Span
from ..option_types import FOUND
from ..options import Options
from ..restoration.fidelity.covers import SIDE, STRONG
from ..restoration.tasks import find_task


def hole_map(hole: Hole, matrix: np.ndarray, size: int) -> np.ndarray:
    """The hole of a frame in a face that ``matrix`` cuts out as ``size`` x ``size`` pixels: a map as of
    :mod:`..restoration.fidelity.covers`, (SIDE, SIDE) uint8."""
    scale = SIDE / size
    return hole.read(np.diag((scale, scale, 1.0)) @ matrix, SIDE) * np.uint8(STRONG)


def fills_given(options: Options) -> bool:
    """Whether a run fills holes that are known beforehand, and not what it finds over faces."""
    return find_task(options.task).fills and options.mask != FOUND


def with_hole(options: Options, picture: Picture) -> Picture:
    """The photo ``picture`` with its hole, if the run fills holes. Raises InputError or UsageError."""
    if fills_given(options):
        mask = _mask_path(options)
        picture.hole = _of_picture(mask, picture) if mask else Hole.of_white(picture.image())
    return picture


def with_holes(options: Options, decoder: Decoder, frames: Iterable[Frame]) -> Iterable[Frame]:
    """``frames``, of ``decoder``, with their holes if the run fills some. Raises InputError or UsageError."""
    if not fills_given(options):
        return frames
    mask = _mask_path(options)
    if mask is None:
        return map(_with_white, frames)
    if photo_format(mask):
        return _with_picture(mask, frames)
    check_mask(options, decoder)
    return _with_video(mask, decoder, frames)


def check_mask(options: Options, decoder: Decoder) -> None:
    """Raise InputError or UsageError for a mask that does not fit the video of ``decoder``, as far as can be
    told without decoding it."""
    mask = _mask_path(options) if fills_given(options) else None
    if mask is None:
        return
    source = decoder.source
    if kind := photo_format(mask):
        picture = read_photo(mask, kind).picture
        _check_size(mask, picture.upright_size, source.upright_size, source.path.name)
        return
    with Decoder(mask) as other:
        found = other.source
        _check_size(mask, found.upright_size, source.upright_size, source.path.name)
        counts = _count(found), _count(source)
        if None not in counts and counts[0] != counts[1]:
            raise InputError(
                f"the mask {mask.name} has {counts[0]} frames and {source.path.name} {counts[1]}; give one "
                "with as many, or a picture"
            )


def check_samples(options: Options, source: SourceVideo) -> None:
    """Raise InputError for frames that cannot hold what the task writes."""
    if find_task(options.task).keeps_luma and planar_format(source.pix_fmt).colour_planes == 1:
        raise InputError(
            f"{source.path.name} has grey samples ({source.pix_fmt}), which have no room for colours; "
            "convert it first: ffmpeg -i IN -map 0 -c copy -c:v ffv1 "
            f"-vf format={_with_colours(source)} OUT.mkv"
        )


def _with_colours(source: SourceVideo) -> str:
    """FFmpeg's name of a format with colours that holds the grey samples of ``source``."""
    bits = planar_format(source.pix_fmt).bits
    return "yuv420p" if bits == 8 else f"yuv420p{bits}le"


def _mask_path(options: Options) -> Path | None:
    """The file of the mask; None: all that is pure white is missing."""
    mask = options.mask
    if mask is None:
        return None
    assert isinstance(mask, Path)  # as it is not what is found
    if not mask.is_file():
        raise InputError(f"the mask {mask} does not exist; give a picture or a video of the size of IN")
    if mask.absolute() == options.input.absolute():
        raise UsageError("--mask is IN itself; give a picture or a video that is white where IN has a hole")
    return mask


def _with_white(frame: Frame) -> Frame:
    frame.hole = Hole.of_white(frame.image())
    return frame


def _with_picture(mask: Path, frames: Iterable[Frame]) -> Iterator[Frame]:
    hole = None
    for frame in frames:
        hole = hole or _of_picture(mask, frame)
        frame.hole = hole
        yield frame


def _with_video(mask: Path, decoder: Decoder, frames: Iterable[Frame]) -> Iterator[Frame]:
    """``frames`` with the holes that the frames of ``mask`` with the same numbers show."""
    number = first_number(decoder)
    start = span_start(mask, number) if number else None
    skipped = number if start is None else 0  #: frames that are decoded although they are not needed
    with Decoder(mask, Span(start or Fraction(0)), context=decoder.context) as other:
        masks, last = iter(other), None
        for frame in frames:
            while last is None or last.index < frame.index + skipped:
                last = next(masks, None)
                if last is None:
                    raise InputError(
                        f"the mask {mask.name} ends before {decoder.path.name}, at "
                        f"{float(frame.time):.3f} s; give one with as many frames"
                    )
            frame.hole = _of_frame(mask, last, frame)
            yield frame


def _of_picture(mask: Path, frame: Frame) -> Hole:
    kind = photo_format(mask)
    if kind is None:
        raise InputError(f"the mask {mask.name} of a photo must be a picture of the same size")
    return _of_frame(mask, read_photo(mask, kind).picture, frame)


def _of_frame(path: Path, mask: Frame, frame: Frame) -> Hole:
    """The hole of ``frame`` that ``mask`` shows, both as they are displayed."""
    _check_size(path, mask.upright_size, frame.upright_size, "IN")
    brightness = mask.image()
    values = brightness.planes[0].astype(np.float32)
    bits = brightness.format.bits
    if brightness.format.is_rgb:
        values = np.minimum.reduce([plane.astype(np.float32) for plane in brightness.planes[:3]])
    middle = float(1 << (bits - 1))
    missing = displayed(values >= middle, mask.turns, mask.is_mirrored)
    return Hole.of(np.ascontiguousarray(stored(missing, frame.turns, frame.is_mirrored)))


def _check_size(mask: Path, found: tuple[int, int], wanted: tuple[int, int], name: str) -> None:
    if found != wanted:
        raise InputError(
            f"the mask {mask.name} is {found[0]}x{found[1]} and {name} {wanted[0]}x{wanted[1]}; give one of "
            "the same size"
        )


def _count(source: SourceVideo) -> int | None:
    """How many frames a video has, by its header or else its packets; None if neither tells."""
    if source.frames:
        return source.frames
    ticks = frame_ticks(source.path, source.stream_index)
    return None if ticks is None else len(ticks)
