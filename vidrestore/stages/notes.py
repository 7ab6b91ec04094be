"""What is noted of each frame and face on its way through a run.

Notes are small and plain: numbers and short texts. A segment keeps those of its frames, so that a run that is
resumed knows what the earlier one did. :mod:`vidrestore.review` makes the record and the report from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec
import numpy as np

from ..faces.alignment.align import Placement
from ..faces.face import Face
from ..faces.geometry import fit
from ..faces.source import FaceSource
from ..media.frames.crop import Blended
from ..media.frames.frame import Frame
from ..restoration.fidelity.covers import covered_share
from ..restoration.fidelity.face_quality import FaceQuality
from ..restoration.fidelity.rules import Gates, Limits, gates, wear
from ..restoration.guarded import Guards
from ..restoration.temporal.face_crop import FaceCrop, Likeness, PlannedFace, RestoredFace
from .light_change import light_change, pack

#: Raised whenever what a segment keeps of its frames changes.
NOTES_VERSION = "5"


class FaceNotes(msgspec.Struct, array_like=True, kw_only=True):
    """One face in one frame. Coordinates are pixels of the upright frame."""

    track: int
    box: tuple[float, float, float, float]  #: x0, y0, x1, y1
    #: Share of the restoration by which it fades in and out at the ends of its track, in [0, 1].
    fade: float
    #: Confidence of its detection in [0, 1]; 0 if it was not detected in this frame, None if not known.
    score: float | None = None
    fit: float = 0.0  #: how well its landmarks fit a face, in [0, 1]; at 0 it is left alone
    size: float = 0.0  #: of this frame, as the next three: see ``FaceQuality``; 0 if it was not measured
    sharpness: float = 0.0
    noise: float = 0.0
    yaw: float = 0.0
    covered: float = 0.0  #: share of the face that something lies over, in [0, 1]
    w: float | None = None  #: fidelity weight that was chosen
    strength: float = 0.0  #: share of the restoration that is blended in, in [0, 1]
    #: How far the gates for size, sharpness, yaw and colour were open, in [0, 1].
    gates: Gates = Gates(1.0, 1.0, 1.0, 1.0)
    worn: float = 0.0  #: how far it is too worn for the model, in [0, 1]
    restored: bool = False  #: whether it was restored, not left alone
    guards: Guards | None = None  #: what the guards made of it; None if none looked at it
    #: How like a photograph of its person it is; None if there is none, or it was not restored.
    likeness: Likeness | None = None
    #: x0, y0, x1, y1: no sample outside was changed for this face. None: none was changed.
    region: tuple[int, int, int, int] | None = None
    light: str | None = None  #: change of light, by :func:`.light_change.pack`


class FrameNotes(msgspec.Struct, array_like=True, kw_only=True):
    """One frame."""

    pts: int  #: presentation timestamp in ticks
    shot: int  #: number of its shot, from 1; 0 if shots are not known
    faces: list[FaceNotes]

    @property
    def restored(self) -> int:
        """How many of its faces were restored."""
        return sum(face.restored for face in self.faces)


class Notes:
    """Collects the notes of the frames that are on their way through the stages of a run."""

    def __init__(
        self,
        limits: Limits,
        readable: Callable[[str | None], tuple[float, float]],
        *,
        fills: bool = False,
    ) -> None:
        """``limits`` are those of the gates; ``readable`` gives what the restorer of a face declares, by its
        name, see ``RestorerSpec``. ``fills``: holes are filled, so that a change of light is none."""
        self._limits = limits
        self._fills = fills
        self._readable = readable
        self._frames: dict[int, FrameNotes] = {}

    def watch(
        self, source: FaceSource[Frame], tracked: Iterable[tuple[Frame, tuple[Face, ...]]]
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """Pass ``tracked``, the output of ``source``, through, and begin the notes of each frame."""
        for frame, faces in tracked:
            self._frames[frame.index] = _found(frame, source.shots, faces)
            yield frame, faces

    def crops(self, frame: Frame, faces: Iterable[FaceCrop[Placement]]) -> None:
        """Note the quality of faces that were cut out of their frame."""
        for face in faces:
            note, quality = self._note(frame, face.track), face.quality
            note.fit = _fit(face.source.face)
            _measured(note, quality)

    def planned(self, frame: Frame, faces: Iterable[PlannedFace[Placement]]) -> None:
        """Note how much faces are to be restored."""
        for face in faces:
            note = self._note(frame, face.track)
            note.w = round(face.w, 3)
            note.strength = round(face.strength * face.source.face.strength, 3)
            note.gates = _opened(face.quality, self._limits)
            note.worn = round(wear(face.quality, self._readable(face.restorer)), 3)
            if face.cover is not None:
                note.covered = round(covered_share(face.cover > 0), 3)

    def pasted(self, frame: Frame, face: RestoredFace[Placement], written: Blended | None) -> None:
        """Note what pasting a face back wrote."""
        note = self._note(frame, face.track)
        note.restored = True
        if face.guards is not None:
            note.guards = Guards(*(round(value, 4) for value in face.guards.tolist()))
        if face.likeness is not None:
            note.likeness = Likeness(*(round(value, 4) for value in face.likeness))
            note.strength = round(note.strength * face.likeness.kept, 3)
        if written is None:
            return
        y0, y1, x0, x1 = written.bounds
        corners = frame.upright @ np.array([[x0, x1], [y0, y1], [1, 1]])
        (left, right), (top, bottom) = np.sort(np.rint(corners[:2]).astype(int), axis=1).tolist()
        note.region = left, top, right, bottom
        if self._fills:
            return
        bits = frame.image().format.bits
        note.light = pack(light_change(written, face.source.matrix, face.layers.shape[-1], bits))

    def take(self, frame: Frame) -> FrameNotes:
        """The notes of a frame, which are not kept any longer."""
        return self._frames.pop(frame.index)

    def _note(self, frame: Frame, track: int) -> FaceNotes:
        return next(note for note in self._frames[frame.index].faces if note.track == track)


def analysed(
    frame: Frame,
    shot: int,
    faces: Sequence[Face],
    measured: Mapping[int, tuple[FaceQuality, float]],
    limits: Limits,
) -> FrameNotes:
    """The notes of a frame that is only analysed. ``measured`` has the quality of its tracks, and the share
    of them that something lies over, when they were last measured; ``limits`` are those of a run."""
    notes = _found(frame, shot, faces)
    for note, face in zip(notes.faces, faces, strict=True):
        note.fit = _fit(face)
        quality, covered = measured[face.track]
        _measured(note, quality)
        note.covered = round(covered, 3)
        note.gates = _opened(quality, limits)
    return notes


def _found(frame: Frame, shot: int, faces: Sequence[Face]) -> FrameNotes:
    """The notes of a frame whose faces are found and tracked."""
    assert frame.video.pts is not None
    return FrameNotes(
        pts=frame.video.pts,
        shot=shot,
        faces=[
            FaceNotes(
                track=face.track,
                box=_rounded(face.box),
                fade=round(face.strength, 3),
                score=None if face.score is None else round(face.score, 3),
            )
            for face in faces
        ],
    )


def _fit(face: Face) -> float:
    # Not its strength by the share that it fades to: that may be so small that it is noted as 0.
    return round(fit(face.box, face.landmarks), 3)


def _measured(note: FaceNotes, quality: FaceQuality) -> None:
    note.size, note.noise = round(quality.size, 1), round(quality.noise, 2)
    note.sharpness, note.yaw = round(quality.sharpness, 3), round(quality.yaw, 3)


def _opened(quality: FaceQuality, limits: Limits) -> Gates:
    return Gates(*(round(share, 3) for share in gates(quality, limits)))


def _rounded(box: np.ndarray) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (round(value, 1) for value in box.tolist())
    return x0, y0, x1, y1
