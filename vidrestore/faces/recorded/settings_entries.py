"""The tracks and persons of a tracks file: what a person can set, and figures that inform people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from ..face import UNADJUSTED, Adjustment, PersonSettings, Span, TrackSettings
from .json_values import InvalidError, boolean, list_of, number, object_of, positive_integer, share, text
from .recording import Condition, TrackSummary

Value = TypeVar("Value")

_EMBEDDING = 128  #: numbers of the embedding of a photograph

_ADJUSTMENT = ("w", "strength", "skip", "restorer")
#: Keys of a track that inform people: they are written anew, and have no effect.
_SUMMARY = ("first", "last", "frames", "size")


def track_entry(
    track: int, settings: TrackSettings, summary: TrackSummary | None, condition: Condition | None
) -> dict[str, Any]:
    """The JSON object of a track."""
    return {
        "id": track,
        "person": settings.person,
        **asdict(settings.adjustment),
        "name": settings.name,
        "spans": [{"from": s.start, "to": s.end, **_set(s.adjustment)} for s in settings.spans],
        **(asdict(summary) if summary else {}),
        "condition": asdict(condition) if condition else None,
    }


def person_entry(person: int, settings: PersonSettings) -> dict[str, Any]:
    """The JSON object of a person."""
    entry = {"id": person, "name": settings.name, **asdict(settings.adjustment)}
    if settings.reference is None:
        return entry
    return entry | {"reference": [round(value, 4) for value in settings.reference]}


def read_track(value: Any, where: str) -> tuple[int, TrackSettings, Condition | None]:
    """The id, the settings and the condition of a track. Raises InvalidError."""
    optional = (*_ADJUSTMENT, "name", "person", "spans", "condition", *_SUMMARY)
    entry = object_of(value, where, ("id",), optional)
    track = positive_integer(entry["id"], f"{where}: id")
    place = f"track {track}"
    spans = list_of(entry.get("spans", []), f"{place}: spans")
    settings = TrackSettings(
        _adjustment(entry, place),
        _optional(text, entry.get("name"), f"{place}: name"),
        _optional(positive_integer, entry.get("person"), f"{place}: person"),
        tuple(_span(span, f"{place}: span {number}") for number, span in enumerate(spans, 1)),
    )
    return track, settings, _optional(_condition, entry.get("condition"), f"{place}: condition")


def read_person(value: Any, where: str) -> tuple[int, PersonSettings]:
    """The id and the settings of a person. Raises InvalidError."""
    entry = object_of(value, where, ("id",), (*_ADJUSTMENT, "name", "reference"))
    person = positive_integer(entry["id"], f"{where}: id")
    place = f"person {person}"
    name = _optional(text, entry.get("name"), f"{place}: name")
    reference = _optional(_embedding, entry.get("reference"), f"{place}: reference")
    return person, PersonSettings(_adjustment(entry, place), name, reference)


def _span(value: Any, where: str) -> Span:
    entry = object_of(value, where, ("from", "to"), _ADJUSTMENT)
    start, end = number(entry["from"], f"{where}: from"), number(entry["to"], f"{where}: to")
    if end < start:
        raise InvalidError(f"{where}: to, {end:g}, is before from, {start:g}")
    adjustment = _adjustment(entry, where)
    if adjustment == UNADJUSTED:
        raise InvalidError(f"{where} sets nothing; give it w, strength, skip or restorer")
    return Span(start, end, adjustment)


def _adjustment(entry: dict[str, Any], where: str) -> Adjustment:
    return Adjustment(
        _optional(share, entry.get("w"), f"{where}: w"),
        _optional(share, entry.get("strength"), f"{where}: strength"),
        _optional(boolean, entry.get("skip"), f"{where}: skip"),
        _optional(text, entry.get("restorer"), f"{where}: restorer"),
    )


def _condition(value: Any, where: str) -> Condition:
    names = ("size", "sharpness", "noise", "yaw", "roll", "w")
    entry = object_of(value, where, (*names, "why"), ("in_front",))
    figures = {name: number(entry[name], f"{where}: {name}") for name in names}
    in_front = _optional(share, entry.get("in_front"), f"{where}: in_front")
    return Condition(**figures, why=text(entry["why"], f"{where}: why"), in_front=in_front)


def _embedding(value: Any, where: str) -> tuple[float, ...]:
    return tuple(number(each, where) for each in list_of(value, where, _EMBEDDING))


def _optional(read: Callable[[Any, str], Value], value: Any, where: str) -> Value | None:
    return None if value is None else read(value, where)


def _set(adjustment: Adjustment) -> dict[str, Any]:
    return {name: value for name, value in asdict(adjustment).items() if value is not None}
