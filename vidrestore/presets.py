"""Options from YAML: presets that come with the package, and files of the user's own."""

from __future__ import annotations

from dataclasses import Field
from pathlib import Path
from typing import Any

import yaml

from .errors import UsageError
from .option_names import by_field, find_option
from .option_types import option_of, parse

#: Inside an installed package, or beside the package in a clone.
_FOLDERS = (folder / "configs" for folder in Path(__file__).resolve().parents[:2])
_PRESETS = {path.stem: path for path in sorted(next(filter(Path.is_dir, _FOLDERS)).glob("*.yaml"))}
#: Options that belong to one run and are refused in a file.
_NOT_HERE = ("input", "output", "dry_run")
_SUFFIXES = (".yaml", ".yml")


def preset_names() -> list[str]:
    """Names of the presets that come with the package."""
    return list(_PRESETS)


def read_preset(name: str) -> dict[str, Any]:
    """Read options from the preset called ``name``, or from the YAML file at that path.

    The file maps names of options, as in Python or on the command line, to values as on the command line. An
    option that can be given several times takes a list, or a mapping for ``NAME=VALUE``.

    Returns:
        Values by field name, for ``Options(input=..., output=..., **read_preset("archival"))``.

    Raises:
        UsageError: There is no such preset or file, or it is wrong somewhere.
    """
    path = _find(name)
    try:
        # Every scalar as its text: a YAML 1.1 loader would turn "off" into False.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not a YAML file: {' '.join(str(error).split())}") from None
    if not isinstance(content or {}, dict):
        raise UsageError(f"{path} must map options to values, as in: w: 0.7")
    try:
        entries = {str(key): value for key, value in (content or {}).items()}
        return {name: _value(name, entry) for name, entry in by_field(entries).items()}
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _find(name: str) -> Path:
    if name.endswith(_SUFFIXES):
        return Path(name)
    if name not in _PRESETS:
        raise UsageError(f"there is no preset {name!r}; use {', '.join(_PRESETS)}, or a .yaml file")
    return _PRESETS[name]


def _value(name: str, value: Any) -> Any:
    if name in _NOT_HERE:
        raise UsageError(f"{name} cannot be set in a file; give it on the command line")
    described = find_option(name)
    about = option_of(described)
    if about.is_switch:
        if value not in ("true", "false"):
            raise UsageError(f"{name} must be true or false, not {value!r}")
        return value == "true"
    if about.many:
        if isinstance(value, dict):
            value = [f"{key}={setting}" for key, setting in value.items()]
        return tuple(_parse_one(described, item) for item in (value if isinstance(value, list) else [value]))
    return _parse_one(described, value)


def _parse_one(described: Field[Any], value: Any) -> Any:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{described.name} takes one value")
    return parse(described, value)
