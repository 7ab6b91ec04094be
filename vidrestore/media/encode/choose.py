"""Chooses a video encoder: by default one of the input's codec family, visually lossless, in the input's
pixel format."""

from __future__ import annotations

import io
import logging

import av
from av.codec.codec import UnknownCodecError

from ...errors import OutputError, UsageError
from ..containers import MATROSKA, Container
from ..frames.pixel_format import planar_equivalent, planar_format, what_planes_lack
from ..source_video import SourceVideo
from .colour_tags import is_limited, output_tags
from .encoder_options import default_options, merge_options, requested_options
from .limits import broken_limit
from .nearest_format import check_format, is_lossy, nearest_format, rounds
from .settings import EncoderConfig, EncoderSettings
from .side_data_losses import SideDataLosses
from .stream_parameters import can_carry
from .validate import check_encoder

log = logging.getLogger(__name__)

#: Encoders of each codec family, by FFmpeg's canonical codec name, the preferred one first.
_FAMILIES = {
    "h264": ("libx264",),
    "hevc": ("libx265",),
    "av1": ("libsvtav1",),
    "vp9": ("libvpx-vp9", "libsvtav1"),
    "vp8": ("libvpx-vp9",),
    "ffv1": ("ffv1",),
    "prores": ("prores_ks",),
}
#: Encoders for a video whose own family the container cannot hold, or can hold only with fewer bits.
_FALLBACKS_8_BITS = ("libx264", "libx265", "libvpx-vp9", "libsvtav1")
_FALLBACKS_MORE_BITS = ("libx265", "libx264", "libsvtav1", "libvpx-vp9")
#: Encoders that can code fields.
_INTERLACED = ("libx264", "libx264rgb", "mpeg2video", "mpeg4", "prores_ks", "prores", "prores_aw")


def choose_encoder(
    source: SourceVideo, container: Container, settings: EncoderSettings, *, strict: bool = False
) -> EncoderConfig:
    """Choose an encoder for the frames of ``source`` in ``container``.

    Logs a warning for what OUT loses of the video.

    Raises:
        UsageError: An encoder, pixel format or option in ``settings`` does not exist or does not fit.
        OutputError: OUT would lose something, with ``strict``.
    """
    codec = (
        _requested_codec(settings.codec, container)
        if settings.codec is not None
        else _best_codec(source, container)
    )
    if limit := broken_limit(codec.name, source):
        raise UsageError(f"encoder {codec.name} takes {limit}; choose another -c:v")
    if settings.pix_fmt is not None:
        pix_fmt = check_format(codec, settings.pix_fmt)
    else:
        pix_fmt = nearest_format(codec, source, container)
        if is_lossy(source.pix_fmt, pix_fmt):
            _report_loss(
                f"some of its {source.pix_fmt} data: the nearest format of {codec.name} is {pix_fmt}",
                source,
                strict,
            )
        elif rounds(source.pix_fmt, pix_fmt):
            log.warning(
                "the video of %s is rounded: %s writes its %s data as %s",
                *(source.path.name, codec.name, source.pix_fmt, pix_fmt),
            )
    limited = is_limited(source, codec.name, container)
    if limited:
        log.warning(
            "the video of %s is rounded: %s in %s is always read as limited range, so its full range is "
            "converted",
            *(source.path.name, codec.name, container.extension),
        )
    if lacking := what_planes_lack(source.decoded_format):
        _report_loss(lacking, source, strict)
    defaults = default_options(
        codec, pix_fmt, source.hdr, source.side_data, reproducible=settings.reproducible
    )
    requested = requested_options(codec, settings)
    config = EncoderConfig(
        codec=codec.name,
        pix_fmt=pix_fmt,
        options=merge_options(defaults, requested),
        tags=output_tags(source, pix_fmt, limited=limited),
        limited=limited,
        interlaced=source.interlaced and codec.name in _INTERLACED,
        is_format_requested=settings.pix_fmt is not None,
    )
    SideDataLosses(source, config, container, strict=strict).report_first()
    if any(source.presentation.cropping) and not can_carry(codec.name):
        _report_loss(f"its cropping, which cannot be written beside {codec.name} video", source, strict)
    if source.hdr and not can_carry(codec.name):
        _report_loss(f"its HDR10 metadata, which cannot be written beside {codec.name} video", source, strict)
    if requested or settings.codec is not None or settings.pix_fmt is not None:
        size = source.width, source.height
        check_encoder(config, size, source.rate, requested=tuple(requested))
    return config


def _report_loss(what: str, source: SourceVideo, strict: bool) -> None:
    """Warn that OUT loses something of the video; with ``strict`` raise OutputError."""
    if strict:
        raise OutputError(f"--strict: the video of {source.path.name} loses {what}")
    log.warning("the video of %s loses %s", source.path.name, what)


def _requested_codec(name: str, container: Container) -> av.Codec:
    """The encoder of that name. Raises UsageError if ``container`` cannot hold its video."""
    codec = _find_codec(name)
    if codec is None:
        raise UsageError(
            f"unknown encoder {name!r}; use for example libx264, libx265, libsvtav1, libvpx-vp9, prores_ks "
            "or ffv1"
        )
    if codec.type != "video":
        raise UsageError(f"{name!r} encodes {codec.type}, not video; use for example libx264")
    if not _can_hold(container, codec):
        hint = "" if container is MATROSKA else f", or {MATROSKA.extension} for OUT"
        raise UsageError(f"{container.name} cannot hold {codec.name} video; choose another -c:v{hint}")
    return codec


def _best_codec(source: SourceVideo, container: Container) -> av.Codec:
    """The first encoder that accepts ``source`` and keeps its bit depth, of its codec family if possible."""
    fmt = planar_format(source.pix_fmt)
    family = _FAMILIES.get(source.codec, ())
    if source.codec == "h264" and fmt.is_rgb:
        family = ("libx264rgb",)
    names = (*family, *(_FALLBACKS_MORE_BITS if fmt.bits > 8 else _FALLBACKS_8_BITS))
    held = [codec for name in names if (codec := _find_codec(name)) and _can_hold(container, codec)]
    codecs = [codec for codec in held if not broken_limit(codec.name, source)] or held
    # Ten bits are visible; more are for editing, where the codec family matters more.
    depth = min(fmt.bits, 10)
    formats = {codec.name: nearest_format(codec, source, container) for codec in codecs}
    deep = [codec for codec in codecs if planar_equivalent(formats[codec.name]).bits >= depth]
    return (deep or codecs)[0]


def _find_codec(name: str) -> av.Codec | None:
    try:
        return av.Codec(name, "w")
    except UnknownCodecError:
        return None


def _can_hold(container: Container, codec: av.Codec) -> bool:
    if codec.canonical_name in container.rejected_video:
        return False
    with av.open(io.BytesIO(), "w", format=container.name) as trial:
        try:
            trial.add_stream(codec.name)
        except ValueError:
            return False
    return True
