"""When the frames of a video are shown, and so their numbers, read from its packets without decoding them."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from math import ceil
from pathlib import Path

import av.error
import numpy as np
from av.stream import Discard

from ..image_sequence import image_numbers, is_sequence
from ..probe import clock_is_steady, main_video, open_input
from .decoder import Decoder

#: A codec with packets that no frame comes from: VP8 has some that are only referred to (RFC 6386, 9.1).
_HIDDEN = "vp8"


def frame_ticks(path: Path, video_stream: int | None = None) -> np.ndarray | None:
    """The timestamps of the frames of a video, by default the main one, in order: (n,) int64, in ticks of its
    time base; those of numbered images are 0 to n - 1. None if the packets do not tell: some have none, the
    clock jumps, or the codec has packets without a frame. Raises InputError."""
    if is_sequence(path):
        return np.arange(len(image_numbers(path)))
    state = path.stat()
    return _ticks(path, video_stream, (state.st_size, state.st_mtime_ns))


def first_number(decoder: Decoder) -> int:
    """The number, in the whole video, of the first frame in the span of ``decoder``. Raises InputError."""
    start, source = decoder.timeline.start, decoder.source
    if not decoder.timeline.span.start:
        return 0
    ticks = frame_ticks(decoder.path, source.stream_index)
    if ticks is not None:
        return int(np.searchsorted(ticks, ceil(start / source.time_base)))
    with Decoder(decoder.path, video_stream=source.stream_index) as whole:
        number = 0
        for frame in whole:
            if frame.time >= start:
                break
            number += 1
        return number


def span_start(path: Path, number: int) -> Fraction | None:
    """The seconds from the beginning of the timeline of ``path`` at which frame ``number`` of its main video
    is shown; None if the packets do not tell, or it has fewer frames. Raises InputError."""
    ticks = frame_ticks(path)
    if ticks is None or number >= len(ticks):
        return None
    with open_input(path) as container:
        time_base = main_video(container, path).time_base
        assert time_base is not None  # FFmpeg's demuxers give every stream one
        return int(ticks[number]) * Fraction(time_base) - Fraction(container.start_time or 0, av.time_base)


@lru_cache(maxsize=8)
def _ticks(path: Path, video_stream: int | None, file_state: object) -> np.ndarray | None:
    with open_input(path) as container:
        stream = main_video(container, path, video_stream)
        # What AVI stores is the order of decoding.
        reliable = container.format.name != "avi" and stream.codec_context.codec.canonical_name != _HIDDEN
        if not reliable or not clock_is_steady(path, stream):
            return None
        for other in container.streams:
            if other.index != stream.index:
                other.discard = Discard.all
        ticks = []
        # Damage is reported where the video is decoded.
        with suppress(av.error.FFmpegError, IndexError):
            for packet in container.demux(stream):
                if packet.size and not packet.is_discard:
                    if packet.pts is None:
                        return None
                    ticks.append(packet.pts)
    return np.sort(np.array(ticks, np.int64))
