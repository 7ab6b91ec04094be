"""The command that makes a run again with something changed, to be copied into a shell."""

from __future__ import annotations

import shlex
from dataclasses import fields
from fractions import Fraction
from typing import Any

from ..option_types import option_of
from ..options import ANALYSIS, Options

#: Options that are not repeated: they are said anew, or have no effect on what is made.
_LEFT_OUT = {"input", "output", "overwrite", "resume", "dry_run", "profile", "strict"}


def restore_command(options: Options, **changes: Any) -> str:
    """The command of a run with ``options``, in which ``changes``, by their names in Python, replace what was
    set; those that can be given several times are added to it."""
    words = ["vidrestore", str(options.input), str(options.output or "OUT.mp4"), "-y"]
    for described in fields(options):
        name, about = described.name, option_of(described)
        value = getattr(options, name)
        if about.many and isinstance(value, tuple):
            value = tuple((dict(value) | dict(changes.get(name, ()))).items())
        else:
            value = changes.get(name, value)
        if name in _LEFT_OUT or value == described.default:
            continue
        if about.is_switch:
            words.append(about.flags[-1])
        elif about.many:
            for key, each in value:
                words += [about.flags[-1], f"{key}={_text(each)}"]
        else:
            words += [about.flags[-1], _text(value)]
    return shlex.join(words)


def analyze_command(options: Options) -> str:
    """The command that writes the tracks file of the same part of the same video, in which a person can set
    more: its tracks have the same numbers."""
    words = ["vidrestore", "analyze", str(options.input), "-o", f"{options.input.stem}.tracks.json"]
    for described in fields(options):
        name, value = described.name, getattr(options, described.name)
        if name in ANALYSIS and value != described.default:
            flag = option_of(described).flags[-1]
            words += [flag] if value is True else [flag, _text(value)]
    return shlex.join(words)


def _text(value: Any) -> str:
    if isinstance(value, Fraction):
        return f"{float(value):.15g}" if Fraction(f"{float(value):.15g}") == value else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
