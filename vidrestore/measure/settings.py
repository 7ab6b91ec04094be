"""Settings of a restoration that are compared: each a name and the options that a user would write."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import UsageError
from .methods import INPUT


@dataclass(frozen=True)
class Setting:
    """A way of restoring a clip."""

    name: str
    words: tuple[str, ...] = ()  #: options of the command line


def each_part_off(parts: Sequence[str]) -> list[Setting]:
    """Frame by frame; with everything; and with each of the ``parts`` of ``--steady`` off."""
    without = [Setting(f"no {part}", ("--steady", ",".join(p for p in parts if p != part))) for part in parts]
    return [Setting("per-frame", ("--steady", "none")), Setting("full"), *without]


def read_setting(text: str) -> Setting:
    """``NAME: OPTIONS`` as a setting. Raises UsageError."""
    name, colon, words = text.partition(":")
    try:
        split = tuple(shlex.split(words))
    except ValueError as error:
        raise UsageError(f"the setting {text!r} cannot be read ({error}); write 'NAME: OPTIONS'") from None
    if not colon or not name.strip():
        raise UsageError(f"the setting {text!r} has no name; write 'NAME: OPTIONS'")
    return Setting(name.strip(), split)


def check_settings(settings: Sequence[Setting]) -> None:
    """Raises UsageError where two are called the same, or one as the input is."""
    names = [INPUT, *(setting.name for setting in settings)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"two rows are called {twice}; give the setting another name")
