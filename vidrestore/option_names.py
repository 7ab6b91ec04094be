"""Options by any of their names: Python's, or the command line's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from difflib import get_close_matches
from functools import cache
from typing import Any

from .errors import UsageError
from .option_types import option_of
from .options import Options


@cache
def _fields() -> dict[str, Field[Any]]:
    """The fields of Options by each of their names: Python's, and the command line's without dashes."""
    named = {described.name: described for described in fields(Options)}
    for described in fields(Options):
        for flag in option_of(described).flags:
            named.setdefault(flag.lstrip("-").replace("-", "_"), described)
    return named


def find_option(name: str) -> Field[Any]:
    """The field of Options called ``name``, as in Python (``min_face``) or on the command line
    (``min-face``, ``ss``, ``c:v``). Raises UsageError."""
    known = _fields()
    try:
        return known[name.replace("-", "_")]
    except KeyError:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no option {name!r}{hint}") from None


def options_from(values: Mapping[str, Any]) -> Options:
    """Options from values by any of their names; see :func:`find_option`. Raises UsageError for an unknown
    name, one given twice, or a value that is not allowed."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        field_name = find_option(name).name
        if field_name in found:
            raise UsageError(f"{field_name} is given twice, once as {name}")
        found[field_name] = value
    if found.get("input") is None:
        raise UsageError("no IN is given; name the video to restore")
    return Options(**found)
