"""How options are described, parsed and checked: the machinery behind :class:`vidrestore.options.Options`."""

from __future__ import annotations

import numbers
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from .errors import UsageError


@dataclass(frozen=True, slots=True)
class Option:
    """One option as data: what the command line, presets, the Python API and the documentation are made of.

    ``low`` and ``high`` are an inclusive range; ``many`` says that it can be given several times; ``basic``
    that plain ``--help`` shows it. ``instead`` says what else one who gave a value that is none of the
    ``choices`` may have meant.
    """

    flags: tuple[str, ...]  #: none for a positional argument
    help: str
    group: str
    metavar: str | None
    parse: Callable[[str], Any]  #: from the command line's text; raises ValueError
    choices: tuple[str, ...] | None
    low: float | None
    high: float | None
    many: bool
    basic: bool
    instead: str = ""

    @property
    def is_switch(self) -> bool:
        """Whether it takes no value."""
        return self.parse is bool


def option(
    default: Any,
    *flags: str,
    help: str,
    group: str = "general",
    metavar: str | None = None,
    type: Callable[[str], Any] = str,
    choices: tuple[str, ...] | None = None,
    low: float | None = None,
    high: float | None = None,
    basic: bool = False,
    instead: str = "",
) -> Any:
    """A dataclass field for an option; ``default`` is ``...`` for one that must be given."""
    many = isinstance(default, tuple)
    about = Option(flags, help, group, metavar, type, choices, low, high, many, basic, instead)
    if default is ...:
        return field(metadata={"option": about})
    return field(default=default, metadata={"option": about})


def option_of(described: Field[Any]) -> Option:
    """The option that a dataclass field describes."""
    return described.metadata["option"]


def display_name(described: Field[Any]) -> str:
    """The name of an option in messages: its first flag, or the field's name."""
    return (*option_of(described).flags, described.name)[0]


def text_of(value: Any) -> str:
    """A value of an option as the command line takes it; one of those of an option that can be given several
    times."""
    if isinstance(value, tuple):
        name, value = value
        return f"{name}={text_of(value)}"
    if isinstance(value, Fraction):
        return f"{float(value):.15g}" if Fraction(f"{float(value):.15g}") == value else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


#: A number without sign and exponent, or a fraction: exponents could make numbers too large to compute with.
_NUMBER = re.compile(r"\d{1,15}(\.\d{0,15})?|\.\d{1,15}|\d{1,30}/\d{1,30}")


def _fraction(text: str) -> Fraction:
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is not a number")
    return Fraction(text)


def seconds(text: str) -> Fraction:
    """A time as ``90``, ``1:30`` or ``0:01:30.5`` in seconds, exactly. Raises ValueError."""
    parts = text.split(":")
    if len(parts) > 3:
        raise ValueError(f"{text!r} is not a time")
    total = Fraction(0)
    for part in parts:
        total = total * 60 + _fraction(part)
    return total


def frames_per_second(text: str) -> Fraction:
    """A frame rate as ``25``, ``29.97`` or ``30000/1001``, above 0 and at most 1000. Raises ValueError."""
    rate = _fraction(text)
    if not 0 < rate <= 1000:
        raise ValueError(f"{text!r} is not a frame rate")
    return rate


_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([KMGT]?)B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def size(text: str) -> int | None:
    """The number of bytes that ``20GB``, ``500 MB`` or ``1000000`` stand for; None for ``none``. Raises
    ValueError.

    >>> size("1.5GB"), size("none")
    (1500000000, None)
    """
    if text == "none":
        return None
    found = _SIZE.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is not a size; give one such as 20GB, or none")
    return round(float(found[1]) * _UNITS[found[2].upper()])


def name_and_value(text: str) -> tuple[str, str]:
    """A pair written as ``NAME=VALUE``. Raises ValueError."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError(f"{text!r} is not NAME=VALUE")
    return name, value


def track_and_w(text: str) -> tuple[int, float]:
    """A track and its fidelity weight, written as ``3=0.8``. Raises ValueError."""
    track, _, w = text.partition("=")
    return int(track), float(w)


def person_and_w(text: str) -> tuple[str, float]:
    """A person's name or id and a fidelity weight, written as ``Ada=0.8``. Raises ValueError."""
    person, _, w = text.rpartition("=")
    if not person:
        raise ValueError(f"{text!r} is not NAME=W")
    return person, float(w)


#: The word for holes that are found over faces.
FOUND = "found"


def mask(text: str) -> Path | str:
    """``found``, or the path of a mask. Raises ValueError."""
    return text if text == FOUND else Path(text)


def photo_and_name(text: str) -> tuple[Path, str]:
    """A photograph and whom it shows, written as ``ada.jpg=Ada``. Raises ValueError."""
    photo, _, name = text.rpartition("=")
    if not photo or not name:
        raise ValueError(f"{text!r} is not PHOTO=NAME, such as ada.jpg=Ada")
    return Path(photo), name


def float_or_auto(text: str) -> float | str:
    """``auto``, or a number. Raises ValueError."""
    return text if text == "auto" else float(text)


def int_or_auto(text: str) -> int | str:
    """``auto``, or a whole number. Raises ValueError."""
    return text if text == "auto" else int(text)


#: What of a face is stabilised over time, in the order of the work.
STEADY = ("input", "codes", "output", "colour")


def steady_parts(text: str) -> frozenset[str]:
    """The parts of :data:`STEADY` that ``text`` names: ``all``, ``none``, or some separated by commas.
    Raises UsageError."""
    named = {"all": STEADY, "none": ()}.get(text, tuple(text.split(",")))
    if unknown := set(named) - set(STEADY):
        raise UsageError(
            f"--steady cannot be {', '.join(sorted(map(repr, unknown)))}; use all, none, or some of "
            f"{','.join(STEADY)}"
        )
    return frozenset(named)


#: What the parsers accept, for messages.
_EXPECTED: dict[Callable[[str], Any], str] = {
    float: "a number",
    int: "a whole number",
    seconds: "seconds, or H:MM:SS.s",
    frames_per_second: "frames per second, such as 25 or 30000/1001",
    name_and_value: "NAME=VALUE",
    track_and_w: "ID=W, such as 3=0.8",
    person_and_w: "NAME=W, such as Ada=0.8",
    float_or_auto: "a number, or auto",
    int_or_auto: "a whole number, or auto",
}


def parse(described: Field[Any], text: str) -> Any:
    """The value of an option from the command line's text; one of the values of an option that can be given
    several times. Raises UsageError."""
    about = option_of(described)
    try:
        value = about.parse(text)
    except (ValueError, ZeroDivisionError):
        expected = _EXPECTED.get(about.parse, "another value")
        raise UsageError(f"{display_name(described)} cannot be {text!r}; give {expected}") from None
    check(described, value)
    return value


def convert(described: Field[Any], value: Any) -> Any:
    """The value of an option from whatever Python value stands for it, checked.

    Text is parsed as on the command line; numbers become the type that the option has; an option that can be
    given several times takes a mapping, a sequence of pairs or of texts. Raises UsageError.
    """
    about = option_of(described)
    if about.many:
        items = list(value.items()) if isinstance(value, Mapping) else value
        if isinstance(items, str) or not hasattr(items, "__iter__"):
            items = [items]
        return tuple(_convert_one(described, item) for item in items)
    if value is None and described.default is None:
        return None
    return _convert_one(described, value)


def _convert_one(described: Field[Any], value: Any) -> Any:
    about, name = option_of(described), display_name(described)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()  # a scalar of NumPy or PyTorch
    if about.is_switch:
        if not isinstance(value, bool):
            raise UsageError(f"{name} must be True or False, not {value!r}")
        return value
    if about.many and isinstance(value, tuple | list) and len(value) == 2 and None not in value:
        value = f"{value[0]}={value[1]}"
    if about.parse in (Path, mask):
        if not isinstance(value, str | os.PathLike):
            raise UsageError(f"{name} must be a path, not {value!r}")
        return Path(os.fsdecode(value)) if about.parse is Path else mask(os.fsdecode(value))
    if isinstance(value, str):
        return parse(described, value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real | Decimal):
        raise UsageError(f"{name} must be text or a number, not {value!r}")
    if about.parse in (seconds, frames_per_second) and not isinstance(value, Fraction):
        try:
            # A float's own shortest text: 29.97 means the decimal, not the nearest binary fraction.
            value = Fraction(str(value))
        except ValueError:
            raise UsageError(f"{name} cannot be {value!r}") from None
    elif isinstance(value, Fraction) and about.parse not in (seconds, frames_per_second):
        value = float(value)
    return parse(described, str(value))


def check(described: Field[Any], value: Any) -> None:
    """Raise UsageError for a value that the option does not allow."""
    about, name = option_of(described), display_name(described)
    low, high = about.low, about.high
    if about.choices and value not in about.choices:
        raise UsageError(f"{name} must be one of {', '.join(about.choices)}, not {value!r}{about.instead}")
    # Written so that NaN, for which every comparison is false, is refused too.
    if low is not None and not (low <= value and (high is None or value <= high)):
        bounds = f"between {low:g} and {high:g}" if high is not None else f"at least {low:g}"
        raise UsageError(f"{name} must be {bounds}, not {float(value):g}")
