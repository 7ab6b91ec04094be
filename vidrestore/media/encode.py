"""Choosing a video encoder: the input's codec family, visually lossless, in its own pixel format."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field

import av
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from ..errors import UsageError
from .pixels import planar_format, planar_twin

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncoderSettings:
    """What the user asked for; None leaves the choice to the input."""

    codec: str | None = None  #: an FFmpeg encoder's name
    crf: float | None = None  #: constant rate factor, on that encoder's own scale
    preset: str | None = None
    pix_fmt: str | None = None
    reproducible: bool = False  #: the same frames give the same file each time, on any machine


@dataclass(frozen=True)
class Encoder:
    """An encoder, settled: all that opening it takes."""

    codec: str
    pix_fmt: str
    options: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        options = (f"{name} {value}" for name, value in self.options.items())
        return f"{self.codec} ({', '.join((self.pix_fmt, *options))})"


#: Encoder of each codec family, by FFmpeg's canonical codec name.
_FAMILIES = {
    "h264": "libx264",
    "hevc": "libx265",
    "av1": "libsvtav1",
    "vp9": "libvpx-vp9",
    "vp8": "libvpx-vp9",
    "ffv1": "ffv1",
    "prores": "prores_ks",
}
#: Visually lossless defaults: at these no difference is seen when the picture is flicked to and fro.
_DEFAULTS = {
    "libx264": {"crf": "16", "preset": "medium"},
    "libx265": {"crf": "18", "preset": "medium"},
    "libsvtav1": {"crf": "20", "preset": "6"},
    "libvpx-vp9": {"crf": "18", "b": "0", "row-mt": "1", "cpu-used": "3"},
    "ffv1": {"level": "3", "slicecrc": "1"},
    "prores_ks": {"profile": "hq"},
}
#: These refuse a size that their chroma subsampling does not divide.
_EVEN_SIZES = ("libx264", "libx265", "libsvtav1")
#: Said by the encoders themselves on standard error, beside our own lines.
_QUIET = {"libx265": {"x265-params": "log-level=error"}}

#: An encoder's choices may depend on how many threads it has. Those of x264's macroblock tree differ even
#: from one run to the next (core 165), unless it is told not to use what is particular to a CPU.
_REPRODUCIBLE = {"libx264": {"threads": "4", "x264-params": "cpu-independent=1"}}


def choose_encoder(source: VideoStream, container: str, settings: EncoderSettings) -> Encoder:
    """The encoder for a video like ``source`` in ``container`` (FFmpeg's muxer name).

    Raises UsageError for an encoder, pixel format or option that does not exist or fit.
    """
    context = source.codec_context
    if settings.codec is not None:
        codec = _find(settings.codec)
        if not _holds(container, codec):
            raise UsageError(
                f"{container} cannot hold {codec.name} video; choose another -c:v, or .mkv for OUT"
            )
    else:
        family = _FAMILIES.get(context.codec.canonical_name, "libx264")
        choices = [_find(name) for name in (family, "libx264", "libvpx-vp9")]
        codec = next(choice for choice in choices if _holds(container, choice))
    name = codec.name
    options = _DEFAULTS.get(name, {}) | _QUIET.get(name, {})
    known = {option.name for option in av.CodecContext.create(name, "w").supported_options.private}
    for option, value in (("crf", settings.crf), ("preset", settings.preset)):
        if value is None:
            continue
        if option not in known:
            raise UsageError(f"encoder {name} has no --{option}; leave it out or choose another -c:v")
        options[option] = value if isinstance(value, str) else f"{value:g}"
    if settings.reproducible:
        options |= _REPRODUCIBLE.get(name, {"threads": "1"})
    return Encoder(name, _pixel_format(codec, context, settings.pix_fmt), options)


def _find(name: str) -> av.Codec:
    try:
        codec = av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        raise UsageError(
            f"unknown encoder {name!r}; use for example libx264, libx265, libvpx-vp9 or ffv1"
        ) from None
    if codec.type != "video":
        raise UsageError(f"{name!r} encodes {codec.type}, not video; use for example libx264")
    return codec


def _holds(container: str, codec: av.Codec) -> bool:
    with av.open(io.BytesIO(), "w", format=container) as trial:
        try:
            trial.add_stream(codec.name)
        except ValueError:
            return False
    return True


def _pixel_format(codec: av.Codec, context: VideoCodecContext, wanted: str | None) -> str:
    """The encoder's format that keeps all of the source's, or comes nearest."""
    offered = [form.name for form in codec.video_formats or ()]
    source = context.pix_fmt
    if wanted is not None:
        if offered and wanted not in offered:
            raise UsageError(
                f"encoder {codec.name} cannot write pixel format {wanted!r}; it offers {', '.join(offered)}"
            )
        return wanted
    if not offered:
        return planar_twin(source)
    fitting = [name for name in offered if codec.name not in _EVEN_SIZES or _divides(name, context)]
    chosen = min(fitting or offered, key=lambda name: _loss(source, name))
    if any(_loss(source, chosen)[:4]) or (chosen != source and source in offered):
        log.warning("%s video is encoded as %s, the nearest that %s can do", source, chosen, codec.name)
    return chosen


def _divides(name: str, context: VideoCodecContext) -> bool:
    """Whether chroma subsampling divides the frame's size without a rest."""
    form = planar_format(planar_twin(name))
    across, down = form.subsampling
    return not (context.width % (1 << across) or context.height % (1 << down))


def _loss(source: str, target: str) -> tuple[int, ...]:
    """What going from one pixel format to another costs, the worst first; all zeros for none."""
    a, b = planar_format(planar_twin(source)), planar_format(planar_twin(target))
    chroma = [max(0, y - x) for x, y in zip(a.subsampling, b.subsampling, strict=True)]
    finer = [max(0, x - y) for x, y in zip(a.subsampling, b.subsampling, strict=True)]
    grey = a.colour_planes == 1
    return (
        max(0, a.bits - b.bits),
        int(a.is_rgb != b.is_rgb and not (grey and not b.is_rgb)),
        (0 if grey else sum(chroma)) + 2 * max(0, a.colour_planes - b.colour_planes),
        int(a.has_alpha and not b.has_alpha),
        int(source.startswith("yuvj") != target.startswith("yuvj")),
        max(0, b.bits - a.bits) + sum(finer) + max(0, b.colour_planes - a.colour_planes) + b.has_alpha,
        int(planar_format(target) is None),
    )
