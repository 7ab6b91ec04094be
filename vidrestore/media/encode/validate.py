"""Whether an encoder can be had, and takes what it is given, found out before any work."""

from __future__ import annotations

from fractions import Fraction

import av

from ...errors import UsageError

#: Presets that x264 and x265 know; they would complain of another on standard error.
_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
)
_HARDWARE = ("nvenc", "qsv", "vaapi", "amf", "videotoolbox", "vulkan", "mediacodec", "v4l2m2m")


def check_encoder(
    codec: str, pix_fmt: str, size: tuple[int, int], options: dict[str, str], given: tuple[str, ...]
) -> None:
    """Open an encoder as it will be and close it again; the options named in ``given`` are the user's.

    Raises UsageError that names the option that is unknown or refused.
    """
    if codec in ("libx264", "libx264rgb", "libx265") and options.get("preset", _PRESETS[0]) not in _PRESETS:
        raise UsageError(f"{codec} has no preset {options['preset']!r}; use one of {', '.join(_PRESETS)}")
    left, error = _opened(codec, pix_fmt, size, options)
    if left:
        raise UsageError(
            f"encoder {codec} has no option {left[0]!r}; `ffmpeg -h encoder={codec}` lists what it has"
        )
    if error is None:
        return
    own = {name: value for name, value in options.items() if name not in given}
    if _opened(codec, pix_fmt, size, own)[1] is None:
        for name in given:
            if _opened(codec, pix_fmt, size, own | {name: options[name]})[1] is not None:
                raise UsageError(f"encoder {codec} refuses {name} {options[name]!r}; give another value")
    if any(kind in codec for kind in _HARDWARE):
        raise UsageError(
            f"encoder {codec} cannot be used on this machine ({error}): its hardware or driver is missing or "
            "does not take such video; leave -c:v out for a software encoder"
        )
    width, height = size
    raise UsageError(
        f"encoder {codec} refuses {width}x{height} {pix_fmt} video ({error}); change --pix-fmt or -c:v"
    )


def _opened(
    codec: str, pix_fmt: str, size: tuple[int, int], options: dict[str, str]
) -> tuple[list[str], str | None]:
    """The options that it does not know, and why it did not open."""
    context = av.CodecContext.create(codec, "w")
    context.width, context.height = size
    context.pix_fmt, context.time_base, context.framerate = pix_fmt, Fraction(1, 25), Fraction(25)
    context.options = dict(options)
    try:
        context.open()
    except (av.error.FFmpegError, ValueError) as error:
        return [], getattr(error, "strerror", None) or str(error)
    return list(context.options), None
