"""The command that makes a run again with something changed, to be copied into a shell."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..option_types import Option, option_of, text_of
from ..options import ANALYSIS, Options

#: Options that are not repeated: they are said anew, or have no effect on what is made.
_LEFT_OUT = {"input", "output", "overwrite", "resume", "dry_run", "profile", "strict"}
#: Writes words as the shell of this system reads them.
_SHELL = subprocess.list2cmdline if os.name == "nt" else shlex.join


def restore_command(options: Options, **changes: Any) -> str:
    """The command of a run with ``options``, in which ``changes``, by their names in Python, replace what was
    set; those that can be given several times are added to it."""
    words = ["vidrestore", str(options.input), str(options.output or "OUT.mp4"), "-y"]
    for described in fields(options):
        name, about = described.name, option_of(described)
        value = getattr(options, name)
        value = _added(value, changes.get(name, {})) if about.many else changes.get(name, value)
        if name in _LEFT_OUT or value == described.default:
            continue
        words += _words(about, value)
    return _SHELL(words)


def analyze_command(options: Options) -> str:
    """The command that writes the tracks file of the same part of the same video, in which a person can set
    more: its tracks have the same numbers."""
    words = ["vidrestore", "analyze", str(options.input), "-o", f"{options.input.stem}.tracks.json"]
    for described in fields(options):
        name, value = described.name, getattr(options, described.name)
        if name in ANALYSIS and value != described.default:
            words += _words(option_of(described), value)
    return _SHELL(words)


def _words(about: Option, value: Any) -> list[str]:
    """The words of an option that is set to ``value``."""
    flag = about.flags[-1]
    if about.is_switch:
        return [flag]
    return [word for each in (value if about.many else (value,)) for word in (flag, text_of(each))]


def _added(values: tuple[Any, ...], more: Mapping[Any, Any]) -> tuple[Any, ...]:
    """``values``, pairs if there are ``more``, and those; a later one of the same name counts."""
    return tuple((dict(values) | dict(more)).items()) if more else values
