"""Choosing a video encoder: the input's codec family, visually lossless, in its own pixel format."""

from __future__ import annotations

import io
import logging
import os
from dataclasses import dataclass, field

import av

from ...errors import OutputError, UsageError
from ..containers import Container
from ..frames.colour import guessed_matrix
from ..frames.pixel_format import is_planar, planar_equivalent, planar_format
from ..source_video import SourceVideo
from .validate import check_encoder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncoderSettings:
    """What the user asked for; None leaves the choice to the input."""

    codec: str | None = None  #: an FFmpeg encoder's name
    crf: float | None = None  #: constant rate factor, on that encoder's own scale
    preset: str | None = None
    pix_fmt: str | None = None
    reproducible: bool = False  #: the same frames give the same file each time, on any machine
    options: tuple[tuple[str, str], ...] = ()  #: the encoder's own, by FFmpeg's names


@dataclass(frozen=True)
class Encoder:
    """An encoder, settled: all that opening it takes."""

    codec: str
    pix_fmt: str
    options: dict[str, str] = field(default_factory=dict)
    #: FFmpeg's numbers for the colours of what is written, by its names for them.
    tags: dict[str, int] = field(default_factory=dict)
    interlaced: bool = False  #: frames hold two fields each

    def __str__(self) -> str:
        options = (f"{name} {value}" for name, value in self.options.items())
        return f"{self.codec} ({', '.join((self.pix_fmt, *options))})"


#: Encoders of each codec family, by FFmpeg's canonical codec name.
_FAMILIES = {
    "h264": ("libx264",),
    "hevc": ("libx265",),
    "av1": ("libsvtav1",),
    "vp9": ("libvpx-vp9", "libsvtav1"),
    "vp8": ("libvpx-vp9",),
    "ffv1": ("ffv1",),
    "prores": ("prores_ks",),
}
#: What a video goes to whose own family the container cannot hold, or would cost it its depth: of 8 bits,
#: and of more.
_OTHERS = (
    ("libx264", "libx265", "libvpx-vp9", "libsvtav1"),
    ("libx265", "libx264", "libsvtav1", "libvpx-vp9"),
)
#: Visually lossless defaults: at these no difference is seen when the picture is flicked to and fro.
_DEFAULTS = {
    "libx264": {"crf": "16", "preset": "medium"},
    "libx264rgb": {"crf": "16", "preset": "medium"},
    "libx265": {"crf": "18", "preset": "medium"},
    "libsvtav1": {"crf": "20", "preset": "6"},
    "libvpx-vp9": {"crf": "18", "b": "0", "row-mt": "1", "cpu-used": "3"},
    "ffv1": {"level": "3", "slicecrc": "1"},
    "h264_nvenc": {"rc": "vbr", "cq": "19", "b": "0", "preset": "p6"},
    "hevc_nvenc": {"rc": "vbr", "cq": "21", "b": "0", "preset": "p6"},
    "av1_nvenc": {"rc": "vbr", "cq": "26", "b": "0", "preset": "p6"},
}
#: What --crf is to encoders that have another name for it.
_CRF = {"h264_nvenc": "cq", "hevc_nvenc": "cq", "av1_nvenc": "cq"}
#: These refuse a size that their chroma subsampling does not divide.
_EVEN_SIZES = ("libx264", "libx265", "libsvtav1")
#: Formats that an encoder lists and does not take.
_UNTAKEN = {"libvpx-vp9": ("yuva422p", "yuva444p", "gbrap"), "libx265": ("yuva420p", "yuva420p10le")}
#: Options that hold options of the encoder's library, as ``name=value:name=value``.
_LISTS = ("x264-params", "x265-params", "svtav1-params")
#: Said by the encoders themselves on standard error, beside our own lines.
_QUIET = {"libx265": {"x265-params": "log-level=error"}}
#: Encoders that can code fields.
_FIELDS = ("libx264", "libx264rgb", "mpeg2video", "mpeg4", "prores_ks", "prores", "prores_aw")

#: An encoder's choices may depend on how many threads it has. Those of x264's macroblock tree differ even
#: from one run to the next (core 165), unless it is told not to use what is particular to a CPU.
_REPRODUCIBLE = {"libx264": {"threads": "4", "x264-params": "cpu-independent=1"}}


def choose_encoder(
    source: SourceVideo, container: Container, settings: EncoderSettings, *, strict: bool = False
) -> Encoder:
    """The encoder for the frames of ``source`` in ``container``.

    Raises UsageError for an encoder, pixel format or option that does not exist or does not fit, with
    ``strict`` OutputError for what OUT would lose.
    """
    if dynamic := source.dynamic_hdr:
        _report_loss(
            f"its {dynamic} metadata, which no encoder here writes: OUT is HDR without it", source, strict
        )
    codec, pix_fmt = _codec_and_format(source, container, settings)
    if settings.pix_fmt is None and any(_loss(source.pix_fmt, pix_fmt)[:4]):
        _report_loss(
            f"some of its {source.pix_fmt}: {pix_fmt} is the nearest that {codec.name} can do", source, strict
        )
    name = codec.name
    own, given = _own_options(source, codec, pix_fmt, settings), _given_options(codec, settings)
    encoder = Encoder(
        codec=name,
        pix_fmt=pix_fmt,
        options=_merged(own, given),
        tags=_tags(source, pix_fmt),
        interlaced=source.interlaced and name in _FIELDS,
    )
    if name == "libsvtav1":
        # It says much on standard error, and takes only this word for less.
        os.environ.setdefault("SVT_LOG", "1")
    if given or settings.codec or settings.pix_fmt:
        check_encoder(name, pix_fmt, (source.width, source.height), encoder.options, tuple(given))
    return encoder


def _report_loss(what: str, source: SourceVideo, strict: bool) -> None:
    """Warn of what OUT loses of the video; with ``strict`` raise OutputError."""
    if strict:
        raise OutputError(f"--strict: the video of {source.path.name} loses {what}")
    log.warning("the video of %s loses %s", source.path.name, what)


def _codec_and_format(
    source: SourceVideo, container: Container, settings: EncoderSettings
) -> tuple[av.Codec, str]:
    if settings.codec is not None:
        codec = _find(settings.codec)
        if not _holds(container, codec):
            raise UsageError(
                f"{container.name} cannot hold {codec.name} video; choose another -c:v, or .mkv for OUT"
            )
        return codec, _pixel_format(codec, source, settings.pix_fmt)
    form = planar_format(source.pix_fmt)
    kind = source.codec
    family = _FAMILIES.get(kind, ())
    if kind == "h264" and form.is_rgb:
        family = ("libx264rgb",)
    names = (*family, *_OTHERS[form.bits > 8])
    choices = [c for name in names if (c := _codec(name)) and _holds(container, c)]
    # Ten bits are seen; more are for editing, and their family matters more to those who edit.
    depth = min(form.bits, 10)
    deep = [c for c in choices if planar_equivalent(_nearest(c, source)).bits >= depth]
    codec = (deep or choices)[0]
    return codec, _pixel_format(codec, source, settings.pix_fmt)


def _codec(name: str) -> av.Codec | None:
    try:
        return av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        return None


def _find(name: str) -> av.Codec:
    codec = _codec(name)
    if codec is None:
        raise UsageError(
            f"unknown encoder {name!r}; use for example libx264, libx265, libsvtav1, libvpx-vp9, prores_ks "
            "or ffv1"
        )
    if codec.type != "video":
        raise UsageError(f"{name!r} encodes {codec.type}, not video; use for example libx264")
    return codec


def _holds(container: Container, codec: av.Codec) -> bool:
    if codec.canonical_name in container.rejected_video:
        return False
    with av.open(io.BytesIO(), "w", format=container.name) as trial:
        try:
            trial.add_stream(codec.name)
        except ValueError:
            return False
    return True


def _own_options(
    source: SourceVideo, codec: av.Codec, pix_fmt: str, settings: EncoderSettings
) -> dict[str, str]:
    """Those that the user need not think of."""
    name = codec.name
    options = _DEFAULTS.get(name, {}) | _QUIET.get(name, {})
    if name == "prores_ks":
        options = {"profile": "hq" if planar_format(pix_fmt).subsampling == (1, 0) else "4444"}
    if name == "libvpx-vp9" and planar_equivalent(pix_fmt).has_alpha:
        options |= {"auto-alt-ref": "0"}  # libvpx has no alternate references of alpha
    if source.hdr:
        for option, values in source.hdr.encoder_options(name).items():
            text = ":".join(f"{key}={value}" for key, value in values.items())
            options = _merged(options, {option: text})
    if settings.reproducible:
        options = _merged(options, _REPRODUCIBLE.get(name, {"threads": "1"}))
    return options


def _given_options(codec: av.Codec, settings: EncoderSettings) -> dict[str, str]:
    """Those that the user asked for."""
    known = {option.name for option in av.CodecContext.create(codec.name, "w").supported_options.private}
    given: dict[str, str] = {}
    for option, name, value in (
        ("crf", _CRF.get(codec.name, "crf"), settings.crf),
        ("preset", "preset", settings.preset),
    ):
        if value is None:
            continue
        if name not in known:
            raise UsageError(f"encoder {codec.name} has no --{option}; leave it out or choose another -c:v")
        given[name] = value if isinstance(value, str) else f"{value:g}"
    return _merged(given, dict(settings.options))


def _merged(first: dict[str, str], then: dict[str, str]) -> dict[str, str]:
    """``then`` has the last word, but lists of a library's options are joined."""
    joined = {name: f"{first[name]}:{then[name]}" for name in _LISTS if name in first and name in then}
    return first | then | joined


def _tags(source: SourceVideo, pix_fmt: str) -> dict[str, int]:
    """The input's, with the matrix that its faces were converted by where it has none."""
    given, target = planar_format(source.pix_fmt), planar_equivalent(pix_fmt)
    tagged, guessed = source.tags, guessed_matrix(source.width, source.height)
    tags = {"color_primaries": tagged.primaries, "color_trc": tagged.transfer}
    full = 2 if source.colour.full_range else tagged.range
    if target.is_rgb:
        tags |= {"colorspace": 0, "color_range": tagged.range if given.is_rgb else 2}
    elif given.is_rgb:
        tags |= {"colorspace": guessed, "color_range": 1}
    elif target.has_chroma and source.colour.guessed and given.has_chroma:
        tags |= {"colorspace": guessed, "color_range": full}
    else:
        tags |= {"colorspace": tagged.matrix, "color_range": full}
    if target.has_chroma and tagged.chroma_location is not None:
        tags["chroma_sample_location"] = tagged.chroma_location
    return tags


def _pixel_format(codec: av.Codec, source: SourceVideo, wanted: str | None) -> str:
    """The encoder's format that keeps all of the source's, or comes nearest."""
    offered = _offered(codec)
    if wanted is not None:
        if offered and wanted not in offered:
            raise UsageError(
                f"encoder {codec.name} cannot write pixel format {wanted!r}; it offers {', '.join(offered)}"
            )
        try:
            av.VideoFormat(wanted)
        except ValueError:
            raise UsageError(f"unknown pixel format {wanted!r}; use for example yuv420p") from None
        return wanted
    return _nearest(codec, source)


def _offered(codec: av.Codec) -> list[str]:
    """The formats that an encoder takes from memory."""
    untaken = _UNTAKEN.get(codec.name, ())
    names = (form.name for form in codec.video_formats or () if form.components)
    return [name for name in names if name not in untaken]


def _nearest(codec: av.Codec, source: SourceVideo) -> str:
    offered = _offered(codec)
    if not offered:
        return source.pix_fmt
    fitting = [
        name
        for name in offered
        if codec.name not in _EVEN_SIZES or _divides(name, source.width, source.height)
    ]
    return min(fitting or offered, key=lambda name: _loss(source.pix_fmt, name))


def _divides(name: str, width: int, height: int) -> bool:
    """Whether chroma subsampling divides the frame's size without a rest."""
    across, down = planar_equivalent(name).subsampling
    return not (width % (1 << across) or height % (1 << down))


def _loss(source: str, target: str) -> tuple[int, ...]:
    """What going from one pixel format to another costs, the worst first; all zeros for none."""
    a, b = planar_equivalent(source), planar_equivalent(target)
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
        int(not is_planar(target)),
    )
