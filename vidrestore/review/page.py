"""What the report shows, as data for its page: bounded, however long the video is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .flags import KINDS, Flag, what_to_change, what_was_done
from .overview import Overview, TrackEntry
from .pictures import Place
from .record import Record
from .series import PLOTTED, Series, points_each

#: Flags on the page, the severest; and of these, for each kind, with pictures.
_FLAGS, _PICTURED = 5000, 8
#: Persons, or tracks if no person is known, with a strip of faces; and faces of a strip.
_STRIPS, _FACES = 24, 6
#: Shots that are drawn.
_SHOTS = 3000

#: Makes pictures of places: before restoration or after it, of so many pixels.
Photograph = Callable[[Sequence[Place], int, bool], list[str | None]]
#: Sides in pixels of the two kinds of pictures.
_LARGE, _SMALL = 288, 96


@dataclass(slots=True)
class _Texts:
    """Texts that occur again and again, each once."""

    numbers: dict[str, int] = field(default_factory=dict)

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def page_data(record: Record, photograph: Photograph) -> dict[str, Any]:
    """Everything that the page shows, ready for JSON."""
    overview, flags = record.overview()
    flags = sorted(flags, key=lambda flag: -flag.severity)
    shown = sorted(flags[:_FLAGS], key=lambda flag: (flag.start, flag.track))
    rows = _rows(overview)
    strips = {row["id"]: _moments(row["tracks"], overview) for row in rows[:_STRIPS]}
    series, places = _collect(record, overview, {moment for each in strips.values() for moment in each})
    texts = _Texts()
    pictures = _pictures(flags[:_FLAGS], photograph, restored=record.is_restored)
    head = record.head()
    return {
        "title": record.origin.name,
        "counts": {
            "frames": overview.frames,
            "faces": overview.faces,
            **({"restored": overview.restored} if record.is_restored else {}),
            "shots": len(overview.shots),
            "tracks": len(overview.tracks),
            **({"persons": len(overview.persons)} if overview.persons else {}),
            "flags": len(flags),
        },
        "head": head,
        "start": overview.shots[0].start if overview.shots else 0.0,
        "end": overview.shots[-1].end if overview.shots else 0.0,
        "kinds": {
            name: {"title": kind.title, "about": kind.about, "count": sum(f.kind == name for f in flags)}
            for name, kind in KINDS.items()
        },
        "shots": [[shot.id, shot.start, shot.end] for shot in overview.shots[:_SHOTS]],
        "rows": rows,
        "plotted": PLOTTED,
        "tracks": {track.id: _track(track, series[track.id]) for track in overview.tracks.values()},
        "flags": [_flag(flag, record, texts, pictures) for flag in shown],
        "left_out": len(flags) - len(shown),
        "strips": _strips(rows, strips, places, photograph, restored=record.is_restored),
        "texts": list(texts.numbers),
    }


def _rows(overview: Overview) -> list[dict[str, Any]]:
    """The rows of the timeline: persons, and tracks of no known person; those seen longest come first."""
    rows = [
        {
            "id": f"p{person.id}",
            "label": person.name or f"person {person.id}",
            "tracks": person.tracks,
            "frames": person.frames,
        }
        for person in overview.persons
    ]
    rows += [
        {
            "id": f"t{track.id}",
            "label": track.name or f"track {track.id}",
            "tracks": [track.id],
            "frames": track.frames,
        }
        for track in overview.tracks.values()
        if track.person is None
    ]
    return sorted(rows, key=lambda row: -row["frames"])


def _moments(tracks: Sequence[int], overview: Overview) -> list[tuple[int, int]]:
    """Tracks and frames that show a person, spread over the time in which it is seen."""
    seen = sorted((overview.tracks[track] for track in tracks), key=lambda track: -track.frames)[:_FACES]
    seen.sort(key=lambda track: track.first)
    each = -(-_FACES // len(seen))
    found = []
    for track in seen:
        length = track.last - track.first + 1
        found += [(track.id, track.first + (2 * i + 1) * length // (2 * each)) for i in range(each)]
    return sorted(set(found[:_FACES]), key=lambda moment: moment[1])


def _collect(
    record: Record, overview: Overview, wanted: set[tuple[int, int]]
) -> tuple[dict[int, Series], dict[tuple[int, int], Place]]:
    """The course of each track, and the places of the moments ``wanted``."""
    most = points_each(len(overview.tracks))
    series = {track: Series(most) for track in overview.tracks}
    places = {}
    for frame in record.frames():
        for face in frame.faces:
            series[face.note.track].add(frame.time, face)
            moment = face.note.track, frame.index
            if moment in wanted:
                places[moment] = Place(time=frame.time, box=face.note.box)
    return series, places


def _track(track: TrackEntry, series: Series) -> dict[str, Any]:
    return {
        "shot": track.shot,
        "person": track.person,
        "start": track.start,
        "end": track.end,
        "frames": track.frames,
        "restored": track.restored,
        "series": series.columns(),
    }


def _pictures(
    flags: Sequence[Flag], photograph: Photograph, *, restored: bool
) -> dict[int, tuple[str | None, ...]]:
    """The worst frames of the severest flags of each kind, before and, if it was ``restored``, after, by the
    flag's ``id()``."""
    chosen = [flag for kind in KINDS for flag in [f for f in flags if f.kind == kind][:_PICTURED]]
    places = [Place(time=flag.worst_time, box=flag.entry.note.box) for flag in chosen]
    sides = [photograph(places, _LARGE, after) for after in ((False, True) if restored else (False,))]
    return {
        id(flag): taken
        for flag, taken in zip(chosen, zip(*sides, strict=True), strict=True)
        if None not in taken
    }


def _flag(
    flag: Flag, record: Record, texts: _Texts, pictures: dict[int, tuple[str | None, ...]]
) -> dict[str, Any]:
    advice, command = what_to_change(flag, record.next_options)
    return {
        "kind": flag.kind,
        "track": flag.track,
        "start": flag.start,
        "end": flag.end,
        "worst": flag.worst_time,
        "frame": flag.worst,
        "frames": flag.frames,
        "severity": round(flag.severity, 2),
        "value": flag.shown_value,
        "done": texts(what_was_done(flag, restored=record.is_restored, task=record.options.task)),
        "advice": texts(advice),
        "command": texts(command),
        **({"pictures": pictures[id(flag)]} if id(flag) in pictures else {}),
    }


def _strips(
    rows: Sequence[dict[str, Any]],
    strips: dict[str, list[tuple[int, int]]],
    places: dict[tuple[int, int], Place],
    photograph: Photograph,
    *,
    restored: bool,
) -> list[dict[str, Any]]:
    moments = [
        (row["id"], moment) for row in rows[:_STRIPS] for moment in strips[row["id"]] if moment in places
    ]
    taken = photograph([places[moment] for _, moment in moments], _SMALL, restored)
    faces: dict[str, list[dict[str, Any]]] = {}
    for (row, moment), picture in zip(moments, taken, strict=True):
        if picture is not None:
            faces.setdefault(row, []).append(
                {"time": places[moment].time, "track": moment[0], "picture": picture}
            )
    return [
        {"id": row["id"], "label": row["label"], "faces": faces[row["id"]]}
        for row in rows[:_STRIPS]
        if row["id"] in faces
    ]
