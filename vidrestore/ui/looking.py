"""What the page shows of a file before a run: faces of persons, moments, and a face before and after."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..errors import InputError
from ..faces.detection.load import resolve_detector
from ..faces.face import Face
from ..faces.neighbours import with_neighbours
from ..faces.recorded.recording import Recording
from ..media.frames.frame import Frame
from ..options import Options
from ..review.face_sheet import as_displayed, cut_out, upright_picture
from ..review.moments import choose_moments, sights_of
from ..review.pictures import Place, data_uri, read_places
from ..runtime.device import float32_arithmetic
from ..runtime.memory import translate_out_of_memory
from ..runtime.profile import Profile
from ..stages.face_source import timestamp
from ..stages.networks import Networks
from ..stages.restoration import chooser, limits_of
from ..stages.setup import RestorerSetup
from ..stages.still_faces import aligned_face, chosen_faces, find_faces
from .fields import parsed
from .people import nearest_frames, persons_of, recording_of
from .stills import Still, fitted, frame_at, photo_frame

#: Faces and moments that are offered, and the side of a face in pixels.
_PERSONS, _MOMENTS, _FACE = 40, 6, 112
#: Sides in pixels of the pictures before and after: of a photo, and of the place around a face.
_WHOLE, _AROUND = 1280, 640
#: Seconds between two moments for the same reason, at least.
_APART = 0.5
#: Pixels of the largest picture that is enlarged to be looked at.
_ENLARGED = 16_000_000
#: Pictures whose faces are kept.
_KEPT = 6
#: Pixels that these may have together, if they are more than one.
_PIXELS = 50_000_000


class Looking:
    """Keeps networks, and the faces of the pictures that were looked at last."""

    def __init__(self) -> None:
        self._networks = Networks()
        self._stills: OrderedDict[tuple[Any, ...], tuple[Still, list[Face]]] = OrderedDict()

    def __call__(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request, whose ``do`` says what is asked. Raises VidrestoreError."""
        asked = {"persons": self.persons, "look": self.look}
        return asked[request["do"]](**{name: value for name, value in request.items() if name != "do"})

    def persons(self, path: str, tracks: str) -> dict[str, Any]:
        """Who was found in a video, with a picture of each, and the moments that are most likely to go
        wrong."""
        recording = recording_of(Path(tracks))
        persons = persons_of(recording, _PERSONS)
        places = [Place(time=person["time"], box=tuple(person.pop("box"))) for person in persons[:_PERSONS]]
        faces = read_places(Path(path), places, _FACE)
        sights = sights_of(recording, limits_of(Options(input=Path(path))))
        moments: list[dict[str, Any]] = []
        for moment in choose_moments(list(sights), _MOMENTS):
            time = float(moment.time)
            if not any(moment.why == other["why"] and time - other["time"] < _APART for other in moments):
                moments.append({"time": time, "why": moment.why, "place": moment.place})
        origin, pts = recording.origin, recording.timestamps
        seconds = [float(tick * origin.time_base - origin.begin) for tick in (*recording.shots, *pts[-1:])]
        for moment in moments:
            moment["person"] = _person_at(recording, moment)
        return {
            "persons": [
                {**person, "face": face} for person, face in zip(persons[:_PERSONS], faces, strict=True)
            ],
            "left_out": max(0, len(persons) - _PERSONS),
            "moments": moments,
            "shots": seconds[:-1],
            "end": seconds[-1] if seconds else 0.0,
        }

    def look(
        self,
        path: str,
        tracks: str | None,
        time: float,
        person: int | None,
        options: Mapping[str, Any],
    ) -> dict[str, Any]:
        """A face of a video, or a photo, before and after restoration with ``options``."""
        resolved = Options(input=Path(path), **parsed(options))
        setup, later = _here(RestorerSetup.of(resolved, download=False))
        with translate_out_of_memory(setup.device), float32_arithmetic(setup.device, setup.precision):
            still, faces = self._still(resolved, tracks, time, person, setup)
            factor = _factor(still.frame, resolved.upscale)
            after, decided = still.restored(chooser(resolved, noun="face"), factor)
        box = _shown_part(still.frame, faces, factor, whole=tracks is None)
        pictures = [_shown(still.frame, frame, factor, box) for frame in (still.frame, after)]
        return {
            "before": data_uri(pictures[0]),
            "after": data_uri(pictures[1]),
            "size": pictures[0].shape[1::-1],
            "faces": [
                {"text": face.description, "restored": face.restored, "strength": round(face.strength, 3)}
                for face in decided
            ],
            "model": setup.model,
            "run_model": later,
            "upscale": resolved.upscale,
            "enlarged": factor,
            "part": box is not None,
        }

    def _still(
        self, options: Options, tracks: str | None, time: float, person: int | None, setup: RestorerSetup
    ) -> tuple[Still, list[Face]]:
        path = options.input
        which = (options.aligned, options.face, options.only_center_face)
        which += (options.video_stream, options.deinterlace)
        key = (path, tracks, round(time, 3), person, which, setup)
        if key not in self._stills:
            if tracks is not None:
                frame = frame_at(options, time)
                faces = _faces_of(frame, tracks, person)
            else:
                frame = photo_frame(path)
                if options.aligned:
                    faces = [aligned_face(frame)]
                else:
                    detector = self._networks.detector(resolve_detector("auto").name, setup.device)
                    found = find_faces(frame, detector, mirrored=frame.is_mirrored)
                    faces = chosen_faces(found, options, frame.upright_size)
            models = self._networks.models(setup, Profile(setup.device))
            self._stills[key] = Still(frame, faces, models), faces
            while len(self._stills) > 1 and (len(self._stills) > _KEPT or self._pixels() > _PIXELS):
                self._stills.popitem(last=False)
        self._stills.move_to_end(key)
        return self._stills[key]

    def _pixels(self) -> int:
        return sum(still.frame.video.width * still.frame.video.height for still, _ in self._stills.values())


def _faces_of(frame: Frame, tracks: str, person: int | None) -> list[Face]:
    recording = recording_of(Path(tracks))
    faces = with_neighbours(recording.faces_at(timestamp(frame)) or ())
    own = [face for face in faces if person is None or (recording.settings[face.track].person or 0) == person]
    if not own:
        raise InputError("this person is not seen at that time")
    return own[:1]


def _person_at(recording: Recording, moment: Mapping[str, Any]) -> int | None:
    """The person whom a moment is about."""
    index = next(nearest_frames(recording, moment["time"]), None)
    faces = recording.faces_at(recording.timestamps[index]) if index is not None else ()
    if not faces or moment["place"] is None:
        return None
    place = np.array(moment["place"])
    nearest = min(faces, key=lambda face: float(np.abs(face.box.reshape(2, 2).mean(0) - place).max()))
    return recording.settings[nearest.track].person or 0


def _here(setup: RestorerSetup) -> tuple[RestorerSetup, str | None]:
    """``setup`` with a model that is on this machine, and the name of the one that a run downloads first and
    uses in its place: nobody waits for a download here. Raises InputError."""
    if not setup.missing:
        return setup, None
    if setup.fallback is None:
        raise InputError(f"{setup.model} is not on this machine yet; a run downloads it, then it can be seen")
    return replace(setup, model=setup.fallback, missing=False, fallback=None), setup.model


def _factor(frame: Frame, wanted: int) -> int:
    """How many times ``frame`` is shown enlarged: as it is wanted, if that is not too large."""
    pixels = frame.video.width * frame.video.height
    return next(factor for factor in range(wanted, 0, -1) if factor == 1 or pixels * factor**2 <= _ENLARGED)


def _shown_part(frame: Frame, faces: list[Face], factor: int, *, whole: bool) -> np.ndarray | None:
    """The box, in pixels of the upright frame, of what is shown; None: all of it. Around a video's face, or
    where an enlarged photo is too large for its pixels to be seen, its largest face or its middle."""
    width, height = frame.upright_size
    if whole and (factor == 1 or max(width, height) * factor <= _WHOLE):
        return None
    if not faces:
        middle, half = np.array((width, height)) / 2, _AROUND / factor / 2
        return np.concatenate([middle - half, middle + half])
    return _wider(max((face.box for face in faces), key=lambda box: float(box[2] - box[0])))


def _shown(original: Frame, frame: Frame, factor: int, box: np.ndarray | None) -> np.ndarray:
    """A frame as displayed, (H, W, 3) uint8 BGR: all of it, or the place around ``box`` (4,). The original is
    made as large as the one that is ``factor`` times enlarged."""
    picture = upright_picture(frame.video, frame.colour, original.turns)
    if frame is original and factor > 1:
        picture = np.ascontiguousarray(picture)
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    if box is not None:
        picture = cut_out(picture, box * factor)
    return fitted(
        np.ascontiguousarray(as_displayed(picture, original)),
        _WHOLE if box is None or factor > 1 else _AROUND,
    )


def _wider(box: np.ndarray) -> np.ndarray:
    """A box around ``box`` (4,) that also shows what is beside the face."""
    half = (box[2:] - box[:2]) * 0.25
    return np.concatenate([box[:2] - half, box[2:] + half])
