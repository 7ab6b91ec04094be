"""The faces of a tracks file: each frame's as a list of JSON objects.

A film has hundreds of thousands of them, so they are decoded frame by frame with msgspec. What it refuses is
checked once more value by value, for a message that says what is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from ..face import Face
from .json_values import (
    InvalidError,
    list_of,
    number,
    object_of,
    positive_integer,
    quoted,
    share,
    unique_keys,
)

_MAX_COORDINATE = 1e5  #: pixels; larger than any frame

_Point = tuple[float, float]


class _Entry(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    track: Annotated[int, msgspec.Meta(ge=1, lt=2**31)]
    box: tuple[float, float, float, float]
    landmarks: tuple[_Point, _Point, _Point, _Point, _Point]
    strength: Annotated[float, msgspec.Meta(gt=0, le=1)]
    score: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None

    def values(self) -> list[float]:
        """Box, landmarks, strength and score, 16 numbers."""
        score = -1.0 if self.score is None else self.score
        return [*self.box, *(v for point in self.landmarks for v in point), self.strength, score]


_DECODER = msgspec.json.Decoder(list[_Entry])


def face_entry(face: Face, *, exact: bool = False) -> dict[str, object]:
    """The JSON object of a face. Coordinates are rounded to 1/100 pixel, strengths to 1/10000, unless it
    shall be ``exact``."""

    def rounded(value: float, digits: int) -> float:
        return value if exact else round(value, digits)

    entry: dict[str, object] = {
        "track": face.track,
        "box": [rounded(value, 2) for value in face.box.tolist()],
        "landmarks": [[rounded(x, 2), rounded(y, 2)] for x, y in face.landmarks.tolist()],
        "strength": rounded(face.strength, 4),
    }
    return entry if face.score is None else entry | {"score": rounded(face.score, 3)}


def read_faces(value: Any, where: str) -> Iterator[tuple[int, list[float]]]:
    """The faces of one frame as pairs of track and 16 numbers: box, landmarks, strength and
    score, -1 if it is not known.

    ``value`` is the list of the frame, as ``msgspec.Raw`` or parsed. Raises InvalidError.
    """
    if isinstance(value, msgspec.Raw):
        try:
            entries = [(entry.track, entry.values()) for entry in _DECODER.decode(value)]
        except msgspec.MsgspecError:
            value = json.loads(bytes(value), object_pairs_hook=unique_keys)
        else:
            for track, values in entries:
                _check_geometry(values, f"{where}, track {track}")
            yield from entries
            return
    for entry in list_of(value, where):
        yield _read_face(entry, where)


def _read_face(value: Any, where: str) -> tuple[int, list[float]]:
    entry = object_of(value, f"a face of {where}", ("track", "box", "landmarks", "strength"), ("score",))
    track = positive_integer(entry["track"], f"{where}: track")
    where = f"{where}, track {track}"
    points = list_of(entry["landmarks"], f"{where}: landmarks", 5)
    flat = list_of(entry["box"], f"{where}: box", 4) + [
        value for point in points for value in list_of(point, f"{where}: a landmark", 2)
    ]
    values = [number(value, f"{where}: a coordinate") for value in flat]
    strength = number(entry["strength"], f"{where}: strength")
    _check_geometry(values, where)
    if not 0 < strength <= 1:
        raise InvalidError(f"{where}: strength must be above 0 and at most 1, not {strength:g}")
    score = entry.get("score")
    return track, [*values, strength, -1.0 if score is None else share(score, f"{where}: score")]


def _check_geometry(values: list[float], where: str) -> None:
    if not -_MAX_COORDINATE <= min(values) <= max(values) <= _MAX_COORDINATE:
        raise InvalidError(f"{where}: coordinates lie far outside any frame")
    left, top, right, bottom = values[:4]
    if not (left < right and top < bottom):
        raise InvalidError(f"{where}: box must be left, top, right, bottom, not {quoted(values[:4])}")
    x, y = values[4:14:2], values[5:14:2]
    if max(x) - min(x) < 1 and max(y) - min(y) < 1:
        raise InvalidError(f"{where}: landmarks coincide")
