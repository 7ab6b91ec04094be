"""The tracks file: a recording of the faces of a video as JSON that a person can read and edit.

It contains a description of the video, then each track on a line, then each frame on a line. Frames are keyed
by presentation timestamp, so that a part of the video finds its own. Errors in a file are reported with their
place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn, TextIO

import numpy as np

from ...errors import InputError
from ..face import Face, TrackSettings
from .recording import Origin, Recording

VERSION = 1
_MAX_COORDINATE = 1e5  #: pixels; larger than any frame
_SUMMARY = ("first", "last", "frames", "size")  #: keys of a track that inform people and have no effect
_REMEDY = "correct it, or make a new one with vidrestore analyze"


class _InvalidError(Exception):
    """A tracks file is valid JSON but not a valid tracks file."""


def write_recording(recording: Recording, file: TextIO) -> None:
    """Write a tracks file. Coordinates are rounded to 1/100 pixel, strengths to 1/10000."""
    origin = asdict(recording.origin) | {
        "time_base": str(recording.origin.time_base),
        "begin": str(recording.origin.begin),
    }
    summary = recording.summary()
    tracks = (
        {"id": track, **asdict(settings), **(asdict(summary[track]) if track in summary else {})}
        for track, settings in sorted(recording.settings.items())
    )
    file.write(f'{{\n"version": {VERSION},\n"input": {json.dumps(origin)},\n"frames": {recording.frames},\n')
    file.write('"tracks": [')
    _write_lines(file, (json.dumps(track) for track in tracks))
    file.write('],\n"faces": {')
    _write_lines(
        file,
        (
            f'"{pts}": {json.dumps([_face_entry(face) for face in recording.faces_at(pts) or ()])}'
            for pts in recording.timestamps
        ),
    )
    file.write("}\n}\n")


def read_recording(path: Path) -> Recording:
    """Read a tracks file. Raises InputError, which says what is wrong and where."""
    name = f"the tracks file {path}"
    try:
        # "replace": in a file that is not text, the position of the first wrong byte does not help anyone.
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None
    try:
        content = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_reject_constant)
        return _recording(content, name)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON: {error}; {_REMEDY}") from None
    except _InvalidError as error:
        raise InputError(f"{name} cannot be used: {error}; {_REMEDY}") from None


def _recording(content: Any, name: str) -> Recording:
    if isinstance(content, dict) and "version" in content and content["version"] != VERSION:
        raise _InvalidError(f"its version is {content['version']!r}, but this program reads {VERSION}")
    top = _object(content, "the file", ("version", "input", "frames", "tracks", "faces"))
    recording = Recording(_origin(top["input"]), name)
    for number, entry in enumerate(_list(top["tracks"], "tracks"), 1):
        track, settings = _track(entry, f"entry {number} of tracks")
        if track in recording.settings:
            raise _InvalidError(f"tracks lists track {track} twice")
        recording.settings[track] = settings
    if not isinstance(top["faces"], dict):
        raise _InvalidError(f"faces must be an object, not {_quoted(top['faces'])}")
    for pts in sorted(top["faces"], key=_timestamp):
        where = f"the frame {pts!r}"
        faces = [_face(entry, where) for entry in _list(top["faces"][pts], where)]
        tracks = [face.track for face in faces]
        for track in tracks:
            if track not in recording.settings:
                raise _InvalidError(f"{where} has a face of track {track}, which tracks does not list")
            if tracks.count(track) > 1:
                raise _InvalidError(f"{where} has two faces of track {track}")
        recording.add(int(pts), faces)
    if top["frames"] != recording.frames:
        raise _InvalidError(f"frames is {_quoted(top['frames'])}, but {recording.frames} are listed")
    return recording


def _origin(value: Any) -> Origin:
    entry = _object(value, "input", ("name", "width", "height", "time_base", "begin", "start", "end"))
    end = entry["end"]
    return Origin(
        name=_text(entry["name"], "input's name"),
        width=_positive_integer(entry["width"], "input's width"),
        height=_positive_integer(entry["height"], "input's height"),
        time_base=_fraction(entry["time_base"], "input's time_base"),
        begin=_fraction(entry["begin"], "input's begin"),
        start=_number(entry["start"], "input's start"),
        end=None if end is None else _number(end, "input's end"),
    )


def _track(value: Any, where: str) -> tuple[int, TrackSettings]:
    entry = _object(value, where, ("id",), ("w", "skip", "name", *_SUMMARY))
    track = _positive_integer(entry["id"], f"{where}: id")
    w, skip, name = entry.get("w"), entry.get("skip", False), entry.get("name")
    if w is not None and not 0 <= _number(w, f"track {track}: w") <= 1:
        raise _InvalidError(f"track {track}: w must be between 0 and 1, or null for the default, not {w}")
    if not isinstance(skip, bool):
        raise _InvalidError(f"track {track}: skip must be true or false, not {_quoted(skip)}")
    if name is not None:
        _text(name, f"track {track}: name")
    return track, TrackSettings(None if w is None else float(w), skip, name)


def _face(value: Any, where: str) -> Face:
    entry = _object(value, f"a face of {where}", ("track", "box", "landmarks", "strength"))
    track = _positive_integer(entry["track"], f"{where}: track")
    where = f"{where}, track {track}"
    points = _list(entry["landmarks"], f"{where}: landmarks", 5)
    flat = _list(entry["box"], f"{where}: box", 4) + [
        value for point in points for value in _list(point, f"{where}: a landmark", 2)
    ]
    values = [_number(value, f"{where}: a coordinate") for value in flat]
    if max(map(abs, values)) > _MAX_COORDINATE:
        raise _InvalidError(f"{where}: coordinates lie far outside any frame")
    left, top, right, bottom, *xy = values
    if not (left < right and top < bottom):
        raise _InvalidError(f"{where}: box must be left, top, right, bottom, not {_quoted(entry['box'])}")
    if max(max(xy[axis::2]) - min(xy[axis::2]) for axis in (0, 1)) < 1:
        raise _InvalidError(f"{where}: landmarks coincide")
    strength = _number(entry["strength"], f"{where}: strength")
    if not 0 < strength <= 1:
        raise _InvalidError(f"{where}: strength must be above 0 and at most 1, not {strength:g}")
    coordinates = np.array(values, np.float32)
    return Face(track, coordinates[:4], coordinates[4:].reshape(5, 2), strength)


def _object(
    value: Any, where: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _InvalidError(f"{where} must be an object, not {_quoted(value)}")
    for key in value:
        if key not in required and key not in optional:
            raise _InvalidError(f"{where} has the unknown key {_quoted(key)}")
    for key in required:
        if key not in value:
            raise _InvalidError(f"{where} has no {key!r}")
    return value


def _list(value: Any, where: str, length: int | None = None) -> list[Any]:
    if not isinstance(value, list) or (length is not None and len(value) != length):
        raise _InvalidError(
            f"{where} must be a list{'' if length is None else f' of {length}'}, not {_quoted(value)}"
        )
    return value


def _number(value: Any, where: str) -> float:
    # To Python, True and False are numbers, and an integer may exceed the largest float.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        raise _InvalidError(f"{where} must be a number, not {_quoted(value)}")
    return float(value)


def _positive_integer(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
        raise _InvalidError(f"{where} must be an integer of at least 1, not {_quoted(value)}")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise _InvalidError(f"{where} must be a string, not {_quoted(value)}")
    return value


def _fraction(value: Any, where: str) -> Fraction:
    text = _text(value, where)
    try:
        # A few characters can write a number of millions of digits.
        if len(text) > 100 or re.search(r"[eE][-+]?[\d_]{3}", text):
            raise ValueError
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise _InvalidError(f'{where} must be a fraction such as "1/25", not {_quoted(value)}') from None


def _timestamp(key: str) -> int:
    if not re.fullmatch(r"0|-?[1-9][0-9]{0,17}", key):
        raise _InvalidError(f"faces has the key {_quoted(key)}, which is not a timestamp")
    return int(key)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise _InvalidError(f"the key {_quoted(repeated)} occurs twice in one object")
    return content


def _reject_constant(text: str) -> NoReturn:
    raise _InvalidError(f"{text} is not a number")


def _quoted(value: Any) -> str:
    """A value as JSON, shortened, to be quoted in a message."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _face_entry(face: Face) -> dict[str, object]:
    return {
        "track": face.track,
        "box": [round(value, 2) for value in face.box.tolist()],
        "landmarks": [[round(x, 2), round(y, 2)] for x, y in face.landmarks.tolist()],
        "strength": round(face.strength, 4),
    }


def _write_lines(file: TextIO, entries: Iterable[str]) -> None:
    """Write the entries of a JSON list or object, one per line."""
    before = "\n  "
    for entry in entries:
        file.write(before + entry)
        before = ",\n  "
    file.write("\n")
