"""The persons of a video on the page: who was found, and what a visitor sets for them."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..faces.face import Adjustment
from ..faces.recorded.recording import Recording
from ..faces.recorded.tracks_file import read_recording, write_recording

#: What can be set for a person, and its range.
_SHARES = ("w", "strength")
_LONGEST_NAME = 60


def checked_settings(given: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings by the id of a person: ``w`` and ``strength`` in [0, 1] or None, ``skip``, ``name``.

    ``known`` are those that are set already, which ``given`` is added to. Raises UsageError.
    """
    settings = {person: dict(own) for person, own in known.items()}
    for person, own in given.items():
        if not person.isdecimal() or len(person) > 9 or not isinstance(own, Mapping):
            raise UsageError("settings must be objects, by the numbers of persons")
        kept = settings.setdefault(person, {})
        for name, value in own.items():
            if name in _SHARES and value is not None:
                if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                    raise UsageError(f"{name} of person {person} must be between 0 and 1")
            elif name == "skip":
                if not isinstance(value, bool):
                    raise UsageError(f"skip of person {person} must be true or false")
            elif name == "name":
                if not isinstance(value, str) or len(value) > _LONGEST_NAME:
                    raise UsageError(
                        f"name of person {person} must be a text of up to {_LONGEST_NAME} letters"
                    )
            elif name not in _SHARES:
                raise UsageError(f"{name[:40]!r} cannot be set for a person")
            kept[name] = value
    return settings


def recording_of(tracks: Path) -> Recording:
    """The recording in a tracks file of this program. Raises InputError."""
    return _recording(tracks, tracks.stat().st_mtime_ns)


@lru_cache(maxsize=3)
def _recording(tracks: Path, modified: int) -> Recording:
    return read_recording(tracks)


def write_settings(tracks: Path, settings: Mapping[str, Mapping[str, Any]], out: Path) -> None:
    """Write a copy of a tracks file in which ``settings`` are set. Raises InputError."""
    recording = read_recording(tracks)
    for number, own in settings.items():
        person = recording.persons.get(int(number))
        if person is None:
            continue
        adjustment = Adjustment(w=own.get("w"), strength=own.get("strength"), skip=own.get("skip") or None)
        recording.persons[int(number)] = replace(
            person, adjustment=adjustment.over(person.adjustment), name=own.get("name") or person.name
        )
    with out.open("w", encoding="utf-8") as file:
        write_recording(recording, file)


def persons_of(recording: Recording, most: int) -> list[dict[str, Any]]:
    """Who was found, ready for JSON: those seen longest come first. For the first ``most`` of them, ``box``
    and ``time`` are where a picture of the face can be taken: in the middle of the longest track."""
    summary = recording.summary()
    tracks: defaultdict[int, list[int]] = defaultdict(list)
    for track in summary:
        tracks[recording.settings[track].person or 0].append(track)
    found = []
    for person, own in tracks.items():
        settings = recording.persons.get(person)
        found.append(
            {
                "id": person,
                "name": (settings and settings.name) or "",
                "frames": sum(summary[track].frames for track in own),
                "tracks": [[track, summary[track].first, summary[track].last] for track in sorted(own)],
                "size": max(summary[track].size for track in own),
            }
        )
    found.sort(key=lambda each: (-each["frames"], each["id"]))
    for each in found[:most]:
        longest = max(
            tracks[each["id"]], key=lambda track: (summary[track].frames * summary[track].size, -track)
        )
        middle = (summary[longest].first + summary[longest].last) / 2
        each["time"], each["box"] = _sighting(recording, longest, middle)
    return found


def nearest_frames(recording: Recording, time: float) -> Iterator[int]:
    """The indices of the frames of a recording, those nearest to a time, in seconds, first."""
    origin, stamps = recording.origin, recording.timestamps
    wanted = (Fraction(time) + origin.begin) / origin.time_base
    after = bisect_left(stamps, wanted)
    before = after - 1
    while before >= 0 or after < len(stamps):
        if after == len(stamps) or (before >= 0 and wanted - stamps[before] <= stamps[after] - wanted):
            yield before
            before -= 1
        else:
            yield after
            after += 1


def _sighting(recording: Recording, track: int, time: float) -> tuple[float, list[float]]:
    """A time, and the box of a track in it, near ``time``."""
    origin, stamps = recording.origin, recording.timestamps
    for index in nearest_frames(recording, time):
        for face in recording.faces_at(stamps[index]) or ():
            if face.track == track:
                seconds = float(stamps[index] * origin.time_base - origin.begin)
                return round(seconds, 4), [round(value, 1) for value in face.box.tolist()]
    raise AssertionError("a track of the summary has a face")
