"""A clip, and runs that write it in segments and may be interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from tests.support.clips import pattern, write
from tests.support.encoders import open_segment_writer
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderSettings
from vidrestore.media.frames.frame import Frame

COUNT = 34  #: frames of the clip
#: Options with which x264 makes the same packets of the same frames each time.
REPRODUCIBLE = (("threads", "1"), ("x264-params", "cpu-independent=1"))
KEY = {"what": "a test"}  #: a resume key


def make_clip(path: Path, pix_fmt: str = "yuv420p", **settings: Any) -> Path:
    """A moving pattern of 64x48."""
    return write(path, [pattern(i, 64, 48, pix_fmt) for i in range(COUNT)], **settings)


def write_segments(
    source: Path,
    out: Path,
    settings: EncoderSettings,
    length: int,
    *,
    stop: int | None = None,
    key: dict[str, str] = KEY,
    told: Callable[[Sequence[Mapping[str, Any]]], object] | None = None,
) -> None:
    """Write all frames of ``source``, in segments of ``length``; with ``stop``, that many before the run is
    interrupted by KeyboardInterrupt. Frames carry their numbers as ``info``, which ``told`` is told."""
    with (
        Decoder(source) as decoder,
        open_segment_writer(decoder, out, settings, length=length, told=told) as writer,
    ):
        done = writer.folder.begin(key, resume=False)
        if writer.resume(done):
            frames: Iterator[Frame] = islice(decoder, writer.frames, stop)
            for frame in frames:
                writer.write(frame, {"number": frame.index})
        if stop is not None:
            raise KeyboardInterrupt
