"""Options of encoders: visually lossless defaults, and those that the user asks for."""

from __future__ import annotations

import av

from ...errors import UsageError
from ..frames.hdr_metadata import HdrMetadata
from ..frames.pixel_format import planar_equivalent, planar_format
from .settings import EncoderSettings
from .side_data_losses import side_data_options

#: Visually lossless defaults: no difference is visible when switching between input and output.
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
#: The option that --crf sets, for encoders where it is not ``crf``.
_CRF_NAMES = {"h264_nvenc": "cq", "hevc_nvenc": "cq", "av1_nvenc": "cq"}
#: Options that hold parameters of the encoder's library, as ``name=value:name=value``.
_PARAMETER_LISTS = ("x264-params", "x265-params", "svtav1-params")
#: Options that keep an encoder from writing to standard error, and from telling in its headers how many cores
#: the machine has: segments that two machines made could not be joined.
_QUIET = {"libx265": {"x265-params": "log-level=error:info=0"}}
#: An encoder's decisions may depend on the number of its threads. Those of x264's macroblock tree differ
#: from run to run (core 165) unless it avoids CPU-specific code.
_REPRODUCIBLE = {"libx264": {"threads": "4", "x264-params": "cpu-independent=1"}}


def default_options(
    codec: av.Codec,
    pix_fmt: str,
    hdr: HdrMetadata | None,
    side_data: frozenset[str] = frozenset(),
    *,
    reproducible: bool,
) -> dict[str, str]:
    """The options of an encoder that need not be asked for, by FFmpeg's names. ``side_data`` is that of the
    first frame."""
    name = codec.name
    options = _DEFAULTS.get(name, {}) | _QUIET.get(name, {}) | side_data_options(name, side_data)
    if name == "prores_ks":
        options = {"profile": "hq" if planar_format(pix_fmt).subsampling == (1, 0) else "4444"}
    if name == "libvpx-vp9" and planar_equivalent(pix_fmt).has_alpha:
        options |= {"auto-alt-ref": "0"}  # libvpx does not support alternate reference frames with alpha
    if hdr:
        for option, parameters in hdr.encoder_options(name).items():
            text = ":".join(f"{key}={value}" for key, value in parameters.items())
            options = merge_options(options, {option: text})
    if reproducible:
        options = merge_options(options, _REPRODUCIBLE.get(name, {"threads": "1"}))
    return options


def requested_options(codec: av.Codec, settings: EncoderSettings) -> dict[str, str]:
    """The options that ``settings`` ask for, by FFmpeg's names. Raises UsageError for --crf or --preset if
    the encoder has no such option."""
    known = {option.name for option in av.CodecContext.create(codec.name, "w").supported_options.private}
    requested: dict[str, str] = {}
    for flag, name, value in (
        ("crf", _CRF_NAMES.get(codec.name, "crf"), settings.crf),
        ("preset", "preset", settings.preset),
    ):
        if value is None:
            continue
        if name not in known:
            raise UsageError(f"encoder {codec.name} has no --{flag}; leave it out or choose another -c:v")
        requested[name] = value if isinstance(value, str) else f"{value:g}"
    return merge_options(requested, dict(settings.options))


def merge_options(first: dict[str, str], second: dict[str, str]) -> dict[str, str]:
    """Merge options; those of ``second`` take precedence, except that lists of parameters are joined."""
    joined = {
        name: f"{first[name]}:{second[name]}" for name in _PARAMETER_LISTS if name in first and name in second
    }
    return first | second | joined
