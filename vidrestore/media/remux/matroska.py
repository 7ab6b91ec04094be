"""Writes the sample aspect ratios of video tracks into a Matroska file's header, which PyAV cannot."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from ..ebml import Element, Id, find, read_element, read_header, unsigned, void
from ..presentation import CROPPING

_TRACK_TYPE_VIDEO = b"\x01"
#: DisplayUnit: only the ratio of DisplayWidth and DisplayHeight counts.
_ASPECT_RATIO = 3


def write_aspect_ratios(path: Path, ratios: Sequence[Fraction | None]) -> bool:
    """Set the sample aspect ratios of a finished file's video tracks, in their order.

    None leaves a track unchanged, and a track that already has a display size keeps it. FFmpeg leaves a Void
    element after the SeekHead: everything from there to the end of Tracks moves up into it, so that no later
    byte moves. Returns whether that was possible. A file with another structure than FFmpeg writes, or
    without room, is not changed.
    """
    with path.open("r+b") as file:
        try:
            position, header = _patched_header(file, ratios)
        except (ValueError, ArithmeticError):
            return False
        file.seek(position)
        file.write(header)
    return True


def _patched_header(file: BinaryIO, ratios: Sequence[Fraction | None]) -> tuple[int, bytes]:
    """The position of the SeekHead, and the new bytes from there to the end of Tracks."""
    ebml = read_element(file)
    if ebml.id != Id.EBML or read_header(file)[0] != Id.SEGMENT:
        raise ValueError("not Matroska")
    is_webm = find(ebml.children(), Id.DOC_TYPE) == b"webm"
    start = file.tell()
    seek_head, gap, *between = _read_until_tracks(file)
    if (seek_head.id, gap.id) != (Id.SEEK_HEAD, Id.VOID):
        raise ValueError("no gap after the SeekHead")
    length = file.tell() - start
    tracks = _patched_tracks(between[-1], ratios, is_webm=is_webm)
    old = b"".join(element.encode() for element in between)
    new = b"".join(element.encode() for element in (*between[:-1], tracks))
    moved = range(length - len(old), length)
    head = _patched_seek_head(seek_head, len(old) - len(new), moved).encode()
    return start, head + void(length - len(head) - len(new)) + new


def _read_until_tracks(file: BinaryIO) -> list[Element]:
    """The segment's elements from the current position to Tracks."""
    elements = [read_element(file)]
    while elements[-1].id != Id.TRACKS:
        elements.append(read_element(file))
    return elements


def _patched_tracks(tracks: Element, ratios: Sequence[Fraction | None], *, is_webm: bool) -> Element:
    entries = tracks.children()
    videos = [i for i, entry in enumerate(entries) if entry.id == Id.TRACK_ENTRY and _is_video(entry)]
    for index, ratio in zip(videos, ratios, strict=True):
        if ratio is not None:
            entry = [
                _patched_video(element, ratio, is_webm=is_webm) if element.id == Id.VIDEO else element
                for element in entries[index].children()
            ]
            entries[index] = entries[index].with_children(entry)
    return tracks.with_children(entries)


def _is_video(entry: Element) -> bool:
    return find(entry.children(), Id.TRACK_TYPE) == _TRACK_TYPE_VIDEO


def _patched_video(video: Element, ratio: Fraction, *, is_webm: bool) -> Element:
    """A track's Video element with a display size for samples of that aspect ratio."""
    settings = video.children()
    if find(settings, Id.DISPLAY_WIDTH):
        return video
    width, height = (int.from_bytes(find(settings, id)) for id in (Id.PIXEL_WIDTH, Id.PIXEL_HEIGHT))
    # The display size is that of the picture without what is cropped.
    top, bottom, left, right = (int.from_bytes(find(settings, id)) for id in CROPPING)
    width, height = width - left - right, height - top - bottom
    display_ratio = Fraction(width, height) * ratio
    if is_webm:  # its readers expect a size in pixels
        display_width, display_height = _display_size(width, height, ratio)
        display = {Id.DISPLAY_WIDTH: display_width, Id.DISPLAY_HEIGHT: display_height}
    else:  # exact, and what FFmpeg writes
        display = {
            Id.DISPLAY_WIDTH: display_ratio.numerator,
            Id.DISPLAY_HEIGHT: display_ratio.denominator,
            Id.DISPLAY_UNIT: _ASPECT_RATIO,
        }
    settings = [setting for setting in settings if setting.id != Id.DISPLAY_UNIT]
    return video.with_children([*settings, *(unsigned(id, value) for id, value in display.items())])


def _display_size(width: int, height: int, ratio: Fraction) -> tuple[int, int]:
    """A picture's size in whole square pixels: exact if keeping one of its sides allows that, else the
    nearest."""
    display_width, display_height = width * ratio, height / ratio
    exact = display_width.denominator == 1, display_height.denominator == 1
    keep_height = exact[0] if exact[0] != exact[1] else ratio > 1
    return (round(display_width), height) if keep_height else (width, round(display_height))


def _patched_seek_head(seek_head: Element, offset: int, moved: range) -> Element:
    """A SeekHead in which the positions within ``moved`` are ``offset`` bytes later."""
    entries = [
        entry.with_children([_patched_position(element, offset, moved) for element in entry.children()])
        if entry.id == Id.SEEK
        else entry
        for entry in seek_head.children()
    ]
    return seek_head.with_children(entries)


def _patched_position(element: Element, offset: int, moved: range) -> Element:
    position = int.from_bytes(element.content)
    if element.id != Id.SEEK_POSITION or position not in moved:
        return element
    return element._replace(content=(position + offset).to_bytes(len(element.content)))
