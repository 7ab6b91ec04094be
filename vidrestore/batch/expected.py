"""How many frames a run is likely to have."""

from __future__ import annotations

from ..media.photo.formats import photo_format
from ..media.probe import probe
from ..options import Options


def expected_frames(options: Options) -> int | None:
    """The frames of the part of ``options.input`` that is restored, by what its container says; None if it
    does not say, 1 for a photo. Raises InputError or UsageError."""
    if photo_format(options.input):
        return 1
    info = probe(options.input, video_stream=options.video_stream)
    if (options.start or options.stop) and info.rate and info.duration is not None:
        stop = info.duration if options.stop is None else min(options.stop, info.duration)
        return max(0, round((stop - options.start) * info.rate))
    return info.frames
