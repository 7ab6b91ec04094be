"""Opens an encoder on trial, so that what it rejects is known before any work."""

from __future__ import annotations

from fractions import Fraction
from typing import cast

import av
from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext

from ...errors import UsageError
from .settings import EncoderConfig

#: The presets of x264 and x265. Of any other these complain on standard error themselves.
_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)
#: Parts of the names of encoders that need hardware.
_HARDWARE = ("nvenc", "qsv", "vaapi", "amf", "videotoolbox", "vulkan", "mediacodec", "v4l2m2m")


def check_encoder(
    config: EncoderConfig, size: tuple[int, int], rate: Fraction, *, requested: tuple[str, ...]
) -> None:
    """Open an encoder for frames of ``size`` (width, height), ``rate`` of them per second, and close it.

    ``requested`` are the names of the options that the user asked for. Raises UsageError, which names the
    option that is unknown or rejected.
    """
    codec, options = config.codec, config.options
    if codec in ("libx264", "libx264rgb", "libx265") and options.get("preset", _PRESETS[0]) not in _PRESETS:
        raise UsageError(f"{codec} has no preset {options['preset']!r}; use one of {', '.join(_PRESETS)}")
    unknown, error = _try_open(config, size, rate, options)
    if unknown:
        raise UsageError(
            f"encoder {codec} has no option {unknown[0]!r}; `ffmpeg -h encoder={codec}` lists them"
        )
    if error is None:
        return
    defaults = {name: value for name, value in options.items() if name not in requested}
    if _try_open(config, size, rate, defaults)[1] is None:
        for name in requested:
            if _try_open(config, size, rate, defaults | {name: options[name]})[1] is not None:
                raise UsageError(f"encoder {codec} rejects {name} {options[name]!r}; use another value")
    if any(kind in codec for kind in _HARDWARE):
        raise UsageError(
            f"encoder {codec} cannot be used on this machine ({error}): its hardware or driver is missing or "
            "does not support such video; leave out -c:v for a software encoder"
        )
    width, height = size
    raise UsageError(
        f"encoder {codec} rejects {width}x{height} {config.pix_fmt} video with {float(rate):g} frames per "
        f"second ({error}); change --pix-fmt or -c:v"
    )


def _try_open(
    config: EncoderConfig, size: tuple[int, int], rate: Fraction, options: dict[str, str]
) -> tuple[list[str], str | None]:
    """Open the encoder with ``options``: returns the names of unknown options, and the error, if any."""
    context = cast(VideoCodecContext, av.CodecContext.create(config.codec, "w"))
    context.width, context.height = size
    context.pix_fmt, context.time_base, context.framerate = config.pix_fmt, 1 / rate, rate
    context.options = dict(options)
    try:
        context.open()
    except (FFmpegError, ValueError) as error:
        return [], getattr(error, "strerror", None) or str(error)
    return list(context.options), None
