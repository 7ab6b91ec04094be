"""The faces of one picture: found at two scales, since a photo may be much larger than a frame of a video."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..errors import InputError
from ..faces.alignment.align import TEMPLATE, TEMPLATE_SIZE
from ..faces.detection.detector import Detector
from ..faces.detection.turned_looks import Place, TurnedLooks
from ..faces.detection.working_size import LONGEST_SIDE, DetectorInput
from ..faces.face import Detection, Face
from ..faces.geometry import centre, fit, overlap
from ..faces.neighbours import with_neighbours
from ..faces.tracking.tracker import CLEAR_SCORE
from ..faces.tracking.upright_faces import SAME_FACE, UprightFaces
from ..media.frames.frame import Frame
from ..media.frames.thumbnails import Thumbnails
from ..options import Options

#: Longest side of the second, larger look, which is searched in tiles of the first one's size.
_LARGE = 3 * LONGEST_SIDE
#: Pixels that tiles share, so that every face up to that size is whole in one of them.
_SHARED = 192
#: Pixels from a tile's edge within which a face may be cut off.
_EDGE = 4
#: Share of the side of an aligned picture that its face is inset: the box of a face on the template.
_INSET = (0.2, 0.25, 0.8, 0.95)


def find_faces(frame: Frame, detector: Detector, *, mirrored: bool = False) -> list[Face]:
    """The faces of a picture, in its upright pixels, numbered from the left as it is displayed.

    ``detector`` tells of uncertain faces too. ``mirrored`` says that the picture is displayed mirrored.
    """
    pictures = DetectorInput(frame.upright_size, Thumbnails, frame.upright_aspect)
    [(_, image)] = pictures.pairs([frame])
    find_upright = UprightFaces(detector, still=True)
    upright = _confirmed(find_upright(image, detector(image[None])[0]), image, detector)
    found = [face.scaled(*pictures.scale) for face in upright]
    found += _small(frame, detector, found)
    side = -1 if mirrored else 1
    found.sort(key=lambda face: side * float(face.box[0] + face.box[2]))
    return with_neighbours(
        [
            Face(track=number, box=face.box, landmarks=face.landmarks, score=face.score)
            for number, face in enumerate(found, start=1)
        ]
    )


def aligned_face(frame: Frame) -> Face:
    """The face of a picture that is one aligned face."""
    width, height = frame.upright_size
    size = np.array((width, height), np.float32)
    return Face(
        track=1,
        box=(np.array(_INSET, np.float32).reshape(2, 2) * size).ravel(),
        landmarks=(TEMPLATE / TEMPLATE_SIZE).astype(np.float32) * size,
    )


def chosen_faces(faces: Sequence[Face], options: Options, size: tuple[int, int]) -> list[Face]:
    """Those of the ``faces`` of a picture of ``size`` (width, height) that ``options`` choose. Raises
    InputError if one of them is not there."""
    chosen = list(faces)
    if options.face:
        if missing := sorted(set(options.face) - {face.track for face in faces}):
            count = f"{len(faces)} face{'s' * (len(faces) != 1)}"
            raise InputError(f"--face {missing[0]} is not there: {options.input.name} has {count}")
        chosen = [face for face in faces if face.track in options.face]
    return nearest_to_centre(chosen, size) if options.only_center_face else chosen


def nearest_to_centre(faces: Sequence[Face], size: tuple[int, int]) -> list[Face]:
    """The one of ``faces`` whose box is nearest to the middle of a picture of ``size`` (width, height)."""
    middle = np.array(size) / 2
    return sorted(faces, key=lambda face: float(np.linalg.norm(centre(face.box) - middle)))[:1]


def _confirmed(found: list[Detection], image: np.ndarray, detector: Detector) -> list[Detection]:
    """Those of ``found`` in ``image`` that are clearly faces, or are when they are looked at again, larger. A
    video shows a face several times before it is believed; a picture shows it once."""
    doubtful = [face for face in found if face.score < CLEAR_SCORE]
    looks = TurnedLooks(detector).level(image, [Place.of(face.box, face.landmarks) for face in doubtful])
    unseen = {
        id(face)
        for face, look in zip(doubtful, looks, strict=True)
        if look is None or look.score < CLEAR_SCORE
    }
    return [face for face in found if id(face) not in unseen]


def _small(frame: Frame, detector: Detector, known: Sequence[Detection]) -> list[Detection]:
    """Faces besides the ``known`` ones that are clearly seen in tiles of a larger copy of the picture, in
    pixels of the frame."""
    width, height = frame.upright_size
    scale = min(1.0, _LARGE / max(width, height))
    size = round(width * scale), round(height * scale)
    if max(size) <= LONGEST_SIDE:
        return []
    image, find_upright = Thumbnails(*size)(frame), UprightFaces(detector, still=True)
    known = [face.scaled(size[0] / width, size[1] / height) for face in known]
    found: list[Detection] = []
    for x, y, tile in _tiles(image):
        offset = np.array((x, y), np.float32)
        seen = [face for face in detector(tile[None])[0] if not _covered(face.moved(offset), known)]
        for face in find_upright(tile, seen, whole=False):
            moved = face.moved(offset)
            clear = face.score >= CLEAR_SCORE and fit(face.box, face.landmarks) == 1
            if clear and _is_whole(moved.box, offset, tile.shape, image.shape):
                found.append(moved)
    distinct: list[Detection] = []
    for face in sorted(found, key=lambda face: -face.score):
        if not _covered(face, [*known, *distinct]):
            distinct.append(face)
    return [face.scaled(width / size[0], height / size[1]) for face in distinct]


def _tiles(image: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """The place (x, y) and content of each tile."""
    height, width = image.shape[:2]
    for y in _starts(height):
        for x in _starts(width):
            yield x, y, np.ascontiguousarray(image[y : y + LONGEST_SIDE, x : x + LONGEST_SIDE])


def _starts(length: int) -> list[int]:
    """Where tiles of ``LONGEST_SIDE`` begin along a side of ``length`` pixels."""
    if length <= LONGEST_SIDE:
        return [0]
    count = -(-(length - _SHARED) // (LONGEST_SIDE - _SHARED))
    return [round(at) for at in np.linspace(0, length - LONGEST_SIDE, count)]


def _is_whole(box: np.ndarray, corner: np.ndarray, tile: Sequence[int], image: Sequence[int]) -> bool:
    """Whether ``box`` is clear of those edges of a tile that are not the picture's."""
    ends = corner + np.array((tile[1], tile[0]))
    left_top = (box[:2] > corner + _EDGE) | (corner == 0)
    right_bottom = (box[2:] < ends - _EDGE) | (ends >= np.array((image[1], image[0])))
    return bool(left_top.all() and right_bottom.all())


def _covered(face: Detection, others: Sequence[Detection]) -> bool:
    return any(overlap(face.box, other.box) > SAME_FACE for other in others)
