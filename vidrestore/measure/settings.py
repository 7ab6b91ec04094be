"""Settings of a restoration to compare: each is a name and command-line options."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError
from .methods import INPUT


@dataclass(frozen=True)
class Setting:
    """A named set of options to restore a clip with."""

    name: str
    args: tuple[str, ...] = ()  #: options as on the command line


def ablations(parts: Sequence[str]) -> list[Setting]:
    """Return the settings ``per-frame`` (no stabilisation), ``full``, and one without each of ``parts``, the
    parts of ``--steady``."""
    without = [Setting(f"no {part}", ("--steady", ",".join(p for p in parts if p != part))) for part in parts]
    return [Setting("per-frame", ("--steady", "none")), Setting("full"), *without]


def parse_setting(text: str) -> Setting:
    """Parse ``NAME: OPTIONS``. Raises UsageError."""
    name, colon, options = text.partition(":")
    try:
        args = tuple(shlex.split(options))
    except ValueError as error:
        raise UsageError(f"cannot parse the setting {text!r} ({error}); write 'NAME: OPTIONS'") from None
    if not colon or not name.strip():
        raise UsageError(f"the setting {text!r} has no name; write 'NAME: OPTIONS'")
    return Setting(name.strip(), args)


def check_settings(settings: Sequence[Setting]) -> None:
    """Raises UsageError if two settings have the same name, or one has the name of the input."""
    names = [INPUT, *(setting.name for setting in settings)]
    if duplicate := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two rows are named {duplicate}; give the setting another name")
