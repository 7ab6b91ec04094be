"""Options from YAML: presets that come with the package, and files of one's own."""

from __future__ import annotations

from dataclasses import Field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from .errors import UsageError
from .options import Options, parse

#: In the package once it is installed, beside it in a clone.
_FOLDERS = (folder / "configs" for folder in Path(__file__).resolve().parents[:2])
#: The presets, by their names.
_PRESETS = {path.stem: path for path in sorted(next(filter(Path.is_dir, _FOLDERS)).glob("*.yaml"))}
#: What is given anew for each run.
_NOT_HERE = ("input", "output", "dry_run")
_SUFFIXES = (".yaml", ".yml")


def preset_names() -> list[str]:
    """The presets that come with the package."""
    return list(_PRESETS)


def read_preset(name: str) -> dict[str, Any]:
    """The options that a YAML file of this path holds, or the preset of this name: for
    ``Options(input=..., output=..., **read_preset("archival"))``.

    The file maps names of options, as in Python, to values, as on the command line; what may be given more
    than once takes a list, or a mapping for ``NAME=VALUE``. Raises UsageError.
    """
    path = _find(name)
    try:
        # Every value as the text that is there: YAML would make false of "off".
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML file: {' '.join(str(error).split())}") from None
    if not isinstance(found or {}, dict):
        raise UsageError(f"{path} must map options to values, as in: w: 0.7")
    options = {option.name: option for option in fields(Options) if option.name not in _NOT_HERE}
    try:
        return {key: _value(key, value, options) for key, value in (found or {}).items()}
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def _find(name: str) -> Path:
    if name.endswith(_SUFFIXES):
        return Path(name)
    if name not in _PRESETS:
        raise UsageError(f"there is no preset {name!r}; give {', '.join(_PRESETS)}, or a .yaml file")
    return _PRESETS[name]


def _value(key: Any, value: Any, options: dict[str, Field]) -> Any:
    if key not in options:
        near = get_close_matches(str(key), options, n=1)
        raise UsageError(f"there is no option {key!r}" + (f"; is it {near[0]}?" if near else ""))
    option = options[key]
    if option.metadata["type"] is bool:
        if value not in ("true", "false"):
            raise UsageError(f"{key} must be true or false, not {value!r}")
        return value == "true"
    if isinstance(option.default, tuple):
        if isinstance(value, dict):
            value = [f"{name}={its}" for name, its in value.items()]
        return tuple(_parsed(option, each) for each in (value if isinstance(value, list) else [value]))
    return _parsed(option, value)


def _parsed(option: Field, value: Any) -> Any:
    if not isinstance(value, str) or not value:
        raise UsageError(f"{option.name} takes one value")
    return parse(option, value)
