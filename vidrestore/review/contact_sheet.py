"""One picture of all persons of a video: the best face of each of their tracks, with name and times."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from ..faces.recorded.recording import Recording, TrackSummary
from ..restoration.fidelity.face_quality import FaceQuality
from .drawing import GAP, INK, LINE, MARGIN, PALE, PAPER, clock, place, write_text

log = logging.getLogger(__name__)

#: Side of a face on the sheet, in pixels, and faces in a row; the text above them needs the room of some.
_SIDE, _COLUMNS, _LEAST_COLUMNS = 128, 10, 6
#: Pixels of an aligned face that are left out on each side, where it shows no face.
_RIM = 48
#: The sheet's size is bounded: so many tracks of a person, and so many rows of faces, at most.
_TRACKS, _ROWS = 30, 100
#: Height of a text below a face in pixels, and its scale.
_SMALL, _SMALL_SCALE = 17, 0.4
_CAPTION = 2 * _SMALL
_QUALITY = 90  #: of the JPEG in which faces wait


@dataclass
class Portraits:
    """The best face seen of each track, small and compressed: some 4 kB for each track."""

    _best: dict[int, tuple[float, bytes]] = field(default_factory=dict, init=False, repr=False)

    def add(self, track: int, picture: np.ndarray, quality: FaceQuality) -> None:
        """Look at an aligned face (512, 512, 3) uint8 RGB, and keep it if it is the best so far: large, sharp
        and seen from the front."""
        worth = min(quality.size, 2.0 * _SIDE) * (0.2 + quality.sharpness) * (1 - quality.yaw)
        if track not in self._best or worth > self._best[track][0]:
            face = picture[_RIM:-_RIM, _RIM:-_RIM]
            small = cv2.resize(face, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
            bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
            data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
            self._best[track] = (worth, data)

    def picture(self, track: int) -> np.ndarray | None:
        """The face of a track, (S, S, 3) uint8 BGR, if one was seen."""
        if track not in self._best:
            return None
        return cv2.imdecode(np.frombuffer(self._best[track][1], np.uint8), cv2.IMREAD_COLOR)


@dataclass(frozen=True, slots=True)
class _Person:
    """A person on the sheet."""

    name: str
    tracks: Sequence[int]  #: all of them, those with the most frames first
    shown: Sequence[int]  #: those that are drawn, in the order of their times

    @property
    def rows(self) -> int:
        """Rows of faces."""
        return -(-len(self.shown) // _COLUMNS)

    @property
    def height(self) -> int:
        """Pixels that it takes on the sheet."""
        return LINE + self.rows * (_SIDE + _CAPTION + GAP) + GAP


def draw_contact_sheet(recording: Recording, portraits: Portraits, title: str) -> np.ndarray:
    """Draw the persons of ``recording``, (H, W, 3) uint8 BGR, those with the most frames first. What a sheet
    of bounded size does not hold is named on it, and logged."""
    summary = recording.summary()
    persons = _persons(recording, summary)
    drawn: list[_Person] = []
    for person in persons:
        if sum(other.rows for other in drawn) + person.rows > _ROWS:
            break
        drawn.append(person)
    if left := len(persons) - len(drawn):
        log.warning(
            "the contact sheet holds the %d persons with the most frames of %d", len(drawn), len(persons)
        )
        title += f"; {left} persons with fewer frames are left out"
    columns = max([_LEAST_COLUMNS, *(min(_COLUMNS, len(person.shown)) for person in drawn)])
    width = 2 * MARGIN + columns * (_SIDE + GAP) - GAP
    height = 2 * MARGIN + LINE + GAP + sum(person.height for person in drawn)
    sheet = np.full((height, width, 3), PAPER, np.uint8)
    write_text(sheet, title, (MARGIN, MARGIN), INK)
    top = MARGIN + LINE + GAP
    for person in drawn:
        write_text(sheet, _heading(person, summary), (MARGIN, top), INK)
        for number, track in enumerate(person.shown):
            row, column = divmod(number, _COLUMNS)
            left = MARGIN + column * (_SIDE + GAP)
            below = top + LINE + row * (_SIDE + _CAPTION + GAP)
            picture = portraits.picture(track)
            if picture is not None:
                place(sheet, picture, left, below, _SIDE)
            own = summary[track]
            captions = (f"track {track}, {own.frames} fr.", f"from {clock(own.first)}")
            for line, text in enumerate(captions):
                at = (left, below + _SIDE + line * _SMALL)
                write_text(sheet, text, at, PALE, scale=_SMALL_SCALE, height=_SMALL)
        top += person.height
    return sheet


def _persons(recording: Recording, summary: dict[int, TrackSummary]) -> list[_Person]:
    of_person: defaultdict[int, list[int]] = defaultdict(list)
    for track in summary:
        of_person[recording.settings[track].person or 0].append(track)
    persons = []
    for person, tracks in of_person.items():
        tracks.sort(key=lambda track: (-summary[track].frames, track))
        settings = recording.persons.get(person)
        name = (settings and settings.name) or (f"person {person}" if person else "not grouped")
        persons.append(
            _Person(name, tracks, sorted(tracks[:_TRACKS], key=lambda track: summary[track].first))
        )
    return sorted(persons, key=lambda person: -sum(summary[track].frames for track in person.tracks))


def _heading(person: _Person, summary: dict[int, TrackSummary]) -> str:
    owned = [summary[track] for track in person.tracks]
    frames = sum(own.frames for own in owned)
    first, last = min(own.first for own in owned), max(own.last for own in owned)
    tracks = f"{len(owned)} tracks" if len(owned) > 1 else "1 track"
    hidden = len(person.tracks) - len(person.shown)
    shorter = f"; {hidden} shorter tracks are left out" if hidden else ""
    return f"{person.name}: {tracks}, {frames} frames, {clock(first)} to {clock(last)}{shorter}"
