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
        return known[name.lstrip("-").replace("-", "_")]
    except KeyError:
        near = get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no option {name!r}{hint}") from None


def options_from(values: Mapping[str, Any]) -> Options:
    """Options from values by any of their names; see :func:`find_option`. Raises UsageError for an unknown
    name, one given twice, or a value that is not allowed."""
    found = by_field(values)
    if found.get("input") is None:
        raise UsageError("no IN is given; name the video to restore")
    return Options(**found)


def by_field(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values by the names of the fields of Options. Raises UsageError for an unknown name, or two
    names of one option."""
    names: dict[str, str] = {}
    for name in values:
        field_name = find_option(name).name
        if field_name in names:
            raise UsageError(f"{names[field_name]} and {name} are the same option; give one of them")
        names[field_name] = name
    return {field_name: values[name] for field_name, name in names.items()}
