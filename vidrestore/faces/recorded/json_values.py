"""Values of a JSON file that a person may have edited, checked one by one.

The functions raise InvalidError, which names the place and the value. ``where`` is the place in words.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any, NoReturn


class InvalidError(Exception):
    """A value is not what it must be. The message says where and why."""


def object_of(
    value: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    """``value``, an object that has the keys ``required`` and none but these and ``optional``."""
    if not isinstance(value, dict):
        raise InvalidError(f"{where} must be an object, not {quoted(value)}")
    for key in value:
        if key not in required and key not in optional:
            raise InvalidError(f"{where} has the unknown key {quoted(key)}")
    for key in required:
        if key not in value:
            raise InvalidError(f"{where} has no {key!r}")
    return value


def list_of(value: Any, where: str, length: int | None = None) -> list[Any]:
    """``value``, a list, of ``length`` entries if that is given."""
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise InvalidError(
            f"{where} must be a list{'' if length is None else f' of {length}'}, not {quoted(value)}"
        )
    return value


def number(value: Any, where: str) -> float:
    """``value``, a number."""
    # To Python, True and False are numbers, and an integer may exceed the largest float.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        raise InvalidError(f"{where} must be a number, not {quoted(value)}")
    return float(value)


def share(value: Any, where: str) -> float:
    """``value``, a number in [0, 1]."""
    if not 0 <= number(value, where) <= 1:
        raise InvalidError(f"{where} must be between 0 and 1, or null for the default, not {value}")
    return float(value)


def boolean(value: Any, where: str) -> bool:
    """``value``, true or false."""
    if not isinstance(value, bool):
        raise InvalidError(f"{where} must be true or false, not {quoted(value)}")
    return value


def positive_integer(value: Any, where: str) -> int:
    """``value``, an integer from 1 to 2**31 - 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
        raise InvalidError(f"{where} must be an integer of at least 1, not {quoted(value)}")
    return value


def index(value: Any, where: str) -> int:
    """``value``, an integer from 0 to 2**31 - 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise InvalidError(f"{where} must be an integer of at least 0, not {quoted(value)}")
    return value


def text(value: Any, where: str) -> str:
    """``value``, a string."""
    if not isinstance(value, str):
        raise InvalidError(f"{where} must be a string, not {quoted(value)}")
    return value


def fraction(value: Any, where: str) -> Fraction:
    """The fraction that the string ``value`` writes, such as ``1/25``."""
    written = text(value, where)
    try:
        # A few characters can write a number of millions of digits.
        if len(written) > 100 or re.search(r"[eE][-+]?[\d_]{3}", written):
            raise ValueError
        return Fraction(written)
    except (ValueError, ZeroDivisionError):
        raise InvalidError(f'{where} must be a fraction such as "1/25", not {quoted(value)}') from None


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An ``object_pairs_hook`` for :mod:`json` that refuses two values of one key."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise InvalidError(f"the key {quoted(repeated)} occurs twice in one object")
    return content


def reject_constant(name: str) -> NoReturn:
    """A ``parse_constant`` for :mod:`json` that refuses NaN and infinities."""
    raise InvalidError(f"{name} is not a number")


def quoted(value: Any) -> str:
    """A value as JSON, shortened, to be quoted in a message."""
    written = json.dumps(value)
    return written if len(written) <= 60 else f"{written[:57]}..."
