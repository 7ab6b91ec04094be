"""The tracks file: a recording of the faces of a video as JSON that a person can read and edit.

It contains a description of the video, its shots, then each person and each track on a line, then each frame
on a line. Frames are keyed by presentation timestamp, so that a part of the video finds its own. Errors in a
file are reported with their place. ``docs/tracks.schema.json`` describes the file as a JSON Schema.

Version 1, which has neither shots nor persons, is read as well.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import msgspec

from ...errors import InputError
from ..face import PersonSettings
from .face_entries import face_entry, read_faces
from .json_values import (
    InvalidError,
    fraction,
    index,
    list_of,
    number,
    object_of,
    positive_integer,
    quoted,
    reject_constant,
    text,
    unique_keys,
)
from .recording import Origin, Recording
from .settings_entries import person_entry, read_person, read_track, track_entry

VERSION = 2
_FIRST_VERSION = ("version", "input", "frames", "tracks", "faces")  #: its keys
_ADDED = ("shots", "persons")  #: keys since version 2
_FRAME_KEY = re.compile(rb'"-?[0-9]+"\s*:')
_REMEDY = "correct it, or make a new one with vidrestore analyze"


def write_recording(recording: Recording, file: TextIO, *, exact: bool = False) -> None:
    """Write a tracks file. Coordinates are rounded to 1/100 pixel, strengths to 1/10000, unless it shall be
    ``exact``."""
    origin = asdict(recording.origin) | {
        "time_base": str(recording.origin.time_base),
        "begin": str(recording.origin.begin),
    }
    summary, entry = recording.summary(), partial(face_entry, exact=exact)
    file.write(f'{{\n"version": {VERSION},\n"input": {json.dumps(origin)},\n"frames": {recording.frames},\n')
    file.write(f'"shots": {json.dumps(recording.shots)},\n"persons": [')
    _write_lines(file, (json.dumps(person_entry(*person)) for person in sorted(recording.persons.items())))
    file.write('],\n"tracks": [')
    _write_lines(
        file,
        (
            json.dumps(track_entry(track, settings, summary.get(track), recording.conditions.get(track)))
            for track, settings in sorted(recording.settings.items())
        ),
    )
    file.write('],\n"faces": {')
    _write_lines(
        file,
        (
            f'"{pts}": {json.dumps([entry(face) for face in recording.faces_at(pts) or ()])}'
            for pts in recording.timestamps
        ),
    )
    file.write("}\n}\n")


def read_recording(path: Path) -> Recording:
    """Read a tracks file. Raises InputError, which says what is wrong and where."""
    name = f"the tracks file {path}"
    try:
        data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from None
    return parse_recording(data, name)


class _Named(msgspec.Struct):
    restorer: str | None = None
    spans: list[_Named] = []


class _Settings(msgspec.Struct):
    tracks: list[_Named] = []
    persons: list[_Named] = []


def restorers_in(path: Path) -> frozenset[str]:
    """The restorers that a tracks file names, read without its faces: none from a file that cannot be read or
    is wrong, about which :func:`read_recording` says more."""
    try:
        found = msgspec.json.decode(path.read_bytes().removeprefix(codecs.BOM_UTF8), type=_Settings)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return frozenset()
    entries = [*found.tracks, *found.persons]
    entries += [span for entry in entries for span in entry.spans]
    return frozenset(entry.restorer for entry in entries if entry.restorer is not None)


def parse_recording(data: bytes, name: str) -> Recording:
    """The recording in the content of a tracks file, called ``name`` in messages. Raises InputError."""
    try:
        return _recording(_parse(data), name)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} is not JSON: {error}; {_REMEDY}") from None
    except InvalidError as error:
        raise InputError(f"{name} cannot be used: {error}; {_REMEDY}") from None


def _parse(data: bytes) -> Any:
    """The content of a file, with the faces of each frame as ``msgspec.Raw`` if it is well formed."""
    try:
        top = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        frames = top.pop("faces")
        faces = msgspec.json.decode(frames, type=dict[str, msgspec.Raw])
        content = {key: _loads(bytes(raw)) for key, raw in top.items()}
    except (msgspec.MsgspecError, KeyError, RecursionError):
        # "replace": in a file that is not text, the position of the first wrong byte does not help anyone.
        return _loads(data.decode("utf-8", "replace"))
    if sum(1 for _ in _FRAME_KEY.finditer(frames)) != len(faces):
        return _loads(data)  # names the key that occurs twice
    return content | {"faces": faces}


def _loads(data: str | bytes) -> Any:
    return json.loads(data, object_pairs_hook=unique_keys, parse_constant=reject_constant)


def _recording(content: Any, name: str) -> Recording:
    version = content.get("version") if isinstance(content, dict) else None
    if version is not None and version not in (1, VERSION):
        raise InvalidError(f"its version is {version!r}, but this program reads 1 and {VERSION}")
    top = object_of(content, "the file", _FIRST_VERSION if version == 1 else (*_FIRST_VERSION, *_ADDED))
    recording = Recording(_origin(top["input"]), name)
    recording.shots = [_pts(pts, "shots") for pts in list_of(top.get("shots", []), "shots")]
    _read_settings(recording, top)
    if not isinstance(top["faces"], dict):
        raise InvalidError(f"faces must be an object, not {quoted(top['faces'])}")
    for pts in sorted(top["faces"], key=_timestamp):
        where = f"the frame {pts!r}"
        faces = list(read_faces(top["faces"][pts], where))
        tracks = [track for track, _ in faces]
        for track in tracks:
            if track not in recording.settings:
                raise InvalidError(f"{where} has a face of track {track}, which tracks does not list")
            if tracks.count(track) > 1:
                raise InvalidError(f"{where} has two faces of track {track}")
        recording.add_values(int(pts), faces)
    if top["frames"] != recording.frames:
        raise InvalidError(f"frames is {quoted(top['frames'])}, but {recording.frames} are listed")
    return recording


def _read_settings(recording: Recording, top: dict[str, Any]) -> None:
    for count, entry in enumerate(list_of(top.get("persons", []), "persons"), 1):
        person, settings = read_person(entry, f"entry {count} of persons")
        if person in recording.persons:
            raise InvalidError(f"persons lists person {person} twice")
        recording.persons[person] = settings
    for count, entry in enumerate(list_of(top["tracks"], "tracks"), 1):
        track, own, condition = read_track(entry, f"entry {count} of tracks")
        if track in recording.settings:
            raise InvalidError(f"tracks lists track {track} twice")
        recording.settings[track] = own
        if condition:
            recording.conditions[track] = condition
        if own.person:  # a person that persons does not list is a new one: so a track is split off
            recording.persons.setdefault(own.person, PersonSettings())


def _origin(value: Any) -> Origin:
    names = ("name", "width", "height", "time_base", "begin", "start", "end")
    entry = object_of(value, "input", names, optional=("stream",))
    end, stream = entry["end"], entry.get("stream")
    return Origin(
        name=text(entry["name"], "input's name"),
        width=positive_integer(entry["width"], "input's width"),
        height=positive_integer(entry["height"], "input's height"),
        time_base=fraction(entry["time_base"], "input's time_base"),
        begin=fraction(entry["begin"], "input's begin"),
        start=number(entry["start"], "input's start"),
        end=None if end is None else number(end, "input's end"),
        stream=None if stream is None else index(stream, "input's stream"),
    )


def _timestamp(key: str) -> int:
    if not re.fullmatch(r"0|-?[1-9][0-9]{0,17}", key):
        raise InvalidError(f"faces has the key {quoted(key)}, which is not a timestamp")
    return int(key)


def _pts(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**18:
        raise InvalidError(f"{where} has {quoted(value)}, which is not a timestamp")
    return value


def _write_lines(file: TextIO, entries: Iterable[str]) -> None:
    """Write the entries of a JSON list or object, one per line."""
    before = "\n  "
    for entry in entries:
        file.write(before + entry)
        before = ",\n  "
    file.write("\n")
