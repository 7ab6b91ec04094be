"""A sheet of faces: each as it is in the input, and as a run restores it at several fidelity weights."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import av
import numpy as np

from ..faces.face import Face
from ..faces.geometry import centre
from ..faces.recorded.recording import Recording
from ..media.frames.colour import Colour
from ..media.frames.frame import Frame
from ..media.frames.thumbnails import Thumbnails
from .drawing import Row, clock, draw_sheet
from .excerpts import RestoredMoment
from .look import Look
from .moments import Moment

log = logging.getLogger(__name__)

#: Fidelity weights of the columns.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Rows, at most: a picture may not be higher than some 65 000 pixels.
_MOST_ROWS = 200
#: Side of the place that is shown around a face, relative to the longer side of its box.
_AROUND = 1.25


def face_sheet(
    look: Look, moments: Sequence[Moment], weights: Sequence[float], progress: Callable[[int, int], None]
) -> np.ndarray:
    """Draw the sheet (H, W, 3) uint8 BGR: a column for each of ``weights``; without any, one with those of
    a run. ``progress`` is called after each moment with the number done and the number of all. Raises
    VidrestoreError."""
    rows: list[Row] = []
    captions = ["input", *(f"w {w:g}" for w in weights)] if weights else ["input", look.result]
    for number, moment in enumerate(moments, 1):
        recording = look.faces_around(moment.time, 1)
        for shown in look.restored(recording, moment.time, 1, weights):
            rows += _rows(shown, moment, recording, captions)
        progress(number, len(moments))
    if len(rows) > _MOST_ROWS:
        log.warning("%d faces are left out: a sheet holds %d", len(rows) - _MOST_ROWS, _MOST_ROWS)
    title = f"{look.options.input.name}, {look.models.task.done} by {look.setup.restorer.model}"
    if weights and not look.models.restorer.spec.has_weight:
        title += ", which has no fidelity weight: w blends broad shapes towards the input"
    return draw_sheet(title, rows[:_MOST_ROWS])


def _rows(shown: RestoredMoment, moment: Moment, recording: Recording, captions: Sequence[str]) -> list[Row]:
    """A row for each face of a moment, or for the one in question."""
    frame = shown.frame
    seconds = float(frame.time - recording.origin.begin)
    before, *versions = (
        upright_picture(video, frame.colour, frame.turns)
        for video in (shown.enlarged, *shown.restored, frame.video)
    )
    plain = versions.pop()
    factor = before.shape[0] // plain.shape[0]
    faces = sorted(shown.faces, key=lambda face: face.box[0])
    if moment.place is not None and faces:
        faces = [min(faces, key=lambda face: float(np.abs(centre(face.box) - moment.place).max()))]
    rows = []
    for face in faces:
        cuts = [cut_out(picture, factor * face.box) for picture in (before, *versions)]
        same = all(np.array_equal(cut, cuts[0]) for cut in cuts[1:])
        title = ", ".join(filter(None, (clock(seconds), _name(face, recording), moment.why)))
        cells = [as_displayed(cell, frame) for cell in (cut_out(plain, face.box), *cuts[1:])]
        rows.append(Row(title, cells, captions, "left as it is at this moment" if same else ""))
    if not faces:
        note = "no face is followed here: the frame stays as it is"
        rows.append(Row(clock(seconds), [as_displayed(plain, frame)], captions[:1], note))
    return rows


def _name(face: Face, recording: Recording) -> str:
    """The name or number of the person and the track, if a tracks file numbers them."""
    settings = recording.settings[face.track]
    if settings.person is None and settings.name is None:
        return ""
    person = recording.persons.get(settings.person or 0)
    name = settings.name or (person and person.name) or f"person {settings.person}"
    return f"{name}, track {face.track}"


def upright_picture(video: av.VideoFrame, colour: Colour, turns: int) -> np.ndarray:
    """A frame as displayed, (H, W, 3) uint8 BGR: after ``turns`` quarter turns counter-clockwise. HDR is
    tone-mapped."""
    frame = Frame(0, video, colour)
    return np.rot90(Thumbnails(*frame.upright_size)(frame), turns - frame.turns)


def as_displayed(picture: np.ndarray, frame: Frame) -> np.ndarray:
    """A part (H, W, 3) of an upright picture of ``frame``, mirrored if the frame is displayed mirrored."""
    return np.ascontiguousarray(picture[:, ::-1]) if frame.is_mirrored else picture


def cut_out(picture: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The square around a face's ``box`` (4,), in pixels of ``picture``, as far as it lies in it."""
    height, width = picture.shape[:2]
    half = _AROUND * float(max(box[2] - box[0], box[3] - box[1])) / 2
    x, y = centre(box).tolist()
    left, top = max(0, int(x - half)), max(0, int(y - half))
    return picture[
        top : max(top + 1, min(height, int(y + half))), left : max(left + 1, min(width, int(x + half)))
    ]
