"""The record as a JSON file. ``docs/report.schema.json`` describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TextIO

from .entries import FaceEntry, FrameEntry
from .flags import KINDS, Flag, what_to_change, what_was_done
from .overview import Overview, TrackEntry
from .record import Record

#: What of a track is given as a mean over its frames.
_MEANS = ("size", "sharpness", "noise", "yaw", "w", "strength", "identity", "light", "flicker")


def write_json(record: Record, file: TextIO) -> None:
    """Write ``record``: each shot, person, track and frame on a line."""
    overview, flags = record.overview()
    counts = {"frames": overview.frames, "faces": overview.faces, "restored": overview.restored}
    head = json.dumps(record.head() | counts, indent=1)
    file.write(head.removesuffix("\n}"))
    _write_list(
        file,
        "shots",
        (
            {"id": shot.id, "first": shot.first, "last": shot.last, "from": shot.start, "to": shot.end}
            for shot in overview.shots
        ),
    )
    _write_list(
        file,
        "persons",
        (
            {"id": person.id, "name": person.name, "tracks": person.tracks, "frames": person.frames}
            for person in overview.persons
        ),
    )
    _write_list(file, "tracks", map(_track, overview.tracks.values()))
    _write_list(file, "flags", (_flag(flag, record, overview) for flag in flags))
    _write_list(file, "record", map(_frame, record.frames()))
    file.write("\n}\n")


def _track(track: TrackEntry) -> dict[str, Any]:
    return {
        "id": track.id,
        "shot": track.shot,
        "person": track.person,
        "name": track.name,
        "first": track.first,
        "last": track.last,
        "from": track.start,
        "to": track.end,
        "frames": track.frames,
        "restored": track.restored,
        "mean": {name: track.mean(name) for name in _MEANS},
    }


def _flag(flag: Flag, record: Record, overview: Overview) -> dict[str, Any]:
    advice, command = what_to_change(flag, record.next_options)
    return {
        "kind": flag.kind,
        "track": flag.track,
        "person": overview.tracks[flag.track].person,
        "shot": flag.shot,
        "first": flag.first,
        "last": flag.last,
        "from": flag.start,
        "to": flag.end,
        "frames": flag.frames,
        "worst": flag.worst,
        "value": round(flag.value, 3),
        "limit": KINDS[flag.kind].limit,
        "severity": round(flag.severity, 2),
        "done": what_was_done(flag, restored=record.is_restored, task=record.options.task),
        "advice": advice,
        "command": command,
    }


def _frame(frame: FrameEntry) -> dict[str, Any]:
    return {
        "frame": frame.index,
        "pts": frame.pts,
        "time": frame.time,
        "shot": frame.shot,
        "faces": list(map(_face, frame.faces)),
    }


def _face(face: FaceEntry) -> dict[str, Any]:
    note = face.note
    measured = note.fit > 0
    return {
        "track": note.track,
        "box": note.box,
        "region": note.region,
        "w": note.guards.w if note.guards else note.w,
        "strength": note.strength,
        "score": note.score,
        "size": note.size if measured else None,
        "sharpness": note.sharpness if measured else None,
        "noise": note.noise if measured else None,
        "yaw": note.yaw if measured else None,
        "identity": note.guards.identity if note.guards else None,
        "reference": note.likeness and {"input": note.likeness.before, "restored": note.likeness.after},
        "light": face.light,
        "flicker": face.flicker,
        "acted": face.acted,
    }


def _write_list(file: TextIO, name: str, entries: Iterable[dict[str, Any]]) -> None:
    file.write(f',\n "{name}": [')
    before = "\n  "
    for entry in entries:
        file.write(before + json.dumps(entry))
        before = ",\n  "
    file.write("\n ]")
