"""Sizes and frame rates that encoders reject, so that another one is chosen or the limit is named."""

from __future__ import annotations

from dataclasses import dataclass

from ..source_video import SourceVideo


@dataclass(frozen=True)
class _Limits:
    """What an encoder accepts."""

    smallest: int = 1  #: width and height in pixels, at least
    largest: tuple[int, int] = (65535, 65535)  #: width and height in pixels, at most
    fastest: int | None = None  #: frames per second, at most


#: As the encoders' libraries check them when they are opened.
_LIMITS = {
    "libx264": _Limits(largest=(16384, 16384)),
    "libx264rgb": _Limits(largest=(16384, 16384)),
    "libx265": _Limits(smallest=16),
    "libsvtav1": _Limits(smallest=4, largest=(16384, 8704), fastest=240),
}


def broken_limit(encoder: str, source: SourceVideo) -> str | None:
    """What an encoder accepts and ``source`` is not, for messages; None if the encoder accepts it."""
    limits = _LIMITS.get(encoder, _Limits())
    if limits.fastest is not None and source.rate > limits.fastest:
        return f"at most {limits.fastest} frames per second, and the video has {float(source.rate):g}"
    size = f"and the video is {source.width}x{source.height}"
    if min(source.width, source.height) < limits.smallest:
        return f"at least {limits.smallest}x{limits.smallest} pixels, {size}"
    width, height = limits.largest
    if source.width > width or source.height > height:
        return f"at most {width}x{height} pixels, {size}"
    return None
