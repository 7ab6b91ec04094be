"""The controls of the page, made from the table of options; and what visitors set with them, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..option_types import convert, option_of
from ..options import Options
from ..presets import preset_names, read_preset
from ..weights.registry import upscaler_names

#: Options that visitors may set, for videos. None names a file, and none is handed to an encoder unseen, as
#: ``encoder_options`` would be: some of those name files.
VIDEO = (
    *(
        "task",
        "w",
        "model",
        "steady",
        "strength",
        "min_face",
        "max_sharpness",
        "max_yaw",
        "detector",
        "commercial",
    ),
    *("start", "duration", "end", "upscale", "background", "denoise", "face_upsample"),
    *("container", "codec", "crf", "preset", "pix_fmt", "deinterlace", "video_stream", "strict"),
)
#: The same for photos.
PHOTO = (
    *("task", "w", "model", "strength", "min_face", "max_sharpness", "max_yaw", "detector", "commercial"),
    *("upscale", "background", "denoise", "face_upsample", "aligned", "only_center_face", "face", "strict"),
)
#: Values of options that elsewhere may also be the name of a file.
_NAMES = {"background": ("lanczos", *upscaler_names())}
#: Characters of a text that an encoder or FFmpeg gets.
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.,")
_LONGEST = 64

_FIELDS = {described.name: described for described in fields(Options)}


def allowed(kind: str) -> tuple[str, ...]:
    """The names of the options that may be set for files of this ``kind``, ``video`` or ``photo``."""
    return VIDEO if kind == "video" else PHOTO


def described_fields(kind: str) -> list[dict[str, Any]]:
    """The options that may be set, ready for JSON: name, group, help, kind of control, range, default."""
    return [_described(_FIELDS[name]) for name in allowed(kind)]


def presets() -> dict[str, dict[str, str]]:
    """The presets that come with the package: values as text, by the names of options."""
    return {name: {key: _text(value) for key, value in read_preset(name).items()} for name in preset_names()}


def checked(given: Mapping[str, Any], kind: str) -> dict[str, str | list[str]]:
    """Options that a visitor gave, as text for a preset file; those that are unset are left out.

    Raises UsageError for an option that may not be set here, or a value that it does not allow.
    """
    known = allowed(kind)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"{str(name)[:40]!r} cannot be set on this page for a {kind}")
        if value is None or value == "" or value == []:
            continue
        described = _FIELDS[name]
        about = option_of(described)
        if about.is_switch and value in ("true", "false"):  # of a query
            value = value == "true"
        if name in _NAMES and value not in _NAMES[name]:
            raise UsageError(f"{name} must be one of {', '.join(_NAMES[name])}")
        if about.parse is str and not about.choices:
            _check_word(name, str(value))
        values[name] = convert(described, value)
    # What no single option can know: that the end is after the start, and the like.
    Options(input=Path(), **values)
    return {
        name: [_text(each) for each in value] if isinstance(value, tuple) else _text(value)
        for name, value in values.items()
        if value != _FIELDS[name].default
    }


def parsed(texts: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`checked` returned, as values for ``Options``."""
    return {
        name: value == "true" if option_of(_FIELDS[name]).is_switch else value
        for name, value in texts.items()
    }


def _check_word(name: str, value: str) -> None:
    if not set(value) <= _WORD or value.startswith("-") or len(value) > _LONGEST:
        raise UsageError(f"{name} must be a word, not {value[:40]!r}")


def _described(described: Field[Any]) -> dict[str, Any]:
    about = option_of(described)
    default = described.default
    choices = _NAMES.get(described.name, about.choices)
    return {
        "name": described.name,
        "flag": (*about.flags, described.name)[0],
        "group": about.group,
        "help": about.help,
        "control": "switch" if about.is_switch else "choice" if choices else "text",
        "choices": choices,
        "low": about.low,
        "high": about.high,
        "many": about.many,
        "default": None if default is None or default is MISSING or about.many else _text(default),
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Fraction):
        short = f"{float(value):.9g}"
        return short if "e" not in short and Fraction(short) == value else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
