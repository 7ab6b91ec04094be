"""Photographs of persons (``--reference``): whom of a video they show."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError, UsageError
from ..faces.alignment.align import align
from ..faces.detection.load import load_detector
from ..faces.detection.working_size import DetectorInput
from ..faces.face import Detection, Face
from ..faces.identity.embedding import IdentityEmbedding
from ..faces.identity.load import Embedding
from ..faces.identity.references import nearest_persons
from ..faces.recorded.recording import Recording
from ..media.frames.frame import Frame
from ..media.frames.thumbnails import Thumbnails
from ..media.photo.formats import photo_format
from ..media.photo.picture import with_colour
from ..media.photo.reader import read_photo
from .setup import AnalysisSetup

log = logging.getLogger(__name__)

_SIZE = 512  #: side in pixels of aligned faces
_SURE = 0.8  #: score from which on a detection is a face


class ReferencePhotos:
    """The faces in photographs, by the names of whom they show."""

    def __init__(self, photos: Sequence[tuple[Path, str]], embed: Embedding, setup: AnalysisSetup) -> None:
        """Read ``photos``, pairs of a file and a name; each shows a face, of several the largest counts.

        Raises UsageError if ``embed`` is not made for faces of photographs, InputError for a photograph that
        cannot be read or shows no face.
        """
        self._embeddings: dict[str, np.ndarray] = {}
        self._limit = 0.0
        if not photos:
            return
        if not isinstance(embed, IdentityEmbedding):
            raise UsageError('--reference needs a network for faces: pip install "vidrestore[persons]"')
        assert setup.detector is not None  # as analyze has no tracks file
        detector = load_detector(setup.detector, setup.device)
        self._limit = embed.threshold
        for path, name in photos:
            if name in self._embeddings:
                raise UsageError(f"--reference names {name} twice; give one photograph of each person")
            frame = _read_photo(path)
            pictures = DetectorInput(frame.upright_size, Thumbnails)
            [(_, picture)] = pictures.pairs([frame])
            found = [d for d in detector(picture[None])[0] if d.score >= _SURE]
            if not found:
                raise InputError(f"{path} shows no face; give a photograph that shows one from the front")
            detection = max(found, key=_height).scaled(*pictures.scale)
            face = Face(1, detection.box, detection.landmarks)
            crop = align(frame.image(), face, frame.upright, _SIZE)
            aligned = (crop.image * 255).round().byte().permute(1, 2, 0).numpy()
            [self._embeddings[name]] = embed([aligned])

    def name_persons(self, recording: Recording, persons: Mapping[int, np.ndarray]) -> None:
        """Name the persons of ``recording`` whom the photographs show, and let runs guard their identity.
        ``persons`` are their embeddings."""
        nearest = nearest_persons(self._embeddings, persons)
        for name in self._embeddings:
            person, distance = nearest.get(name, (None, float("inf")))
            if person is not None and distance <= self._limit:
                reference = tuple(self._embeddings[name].tolist())
                recording.persons[person] = replace(recording.persons[person], name=name, reference=reference)
                log.info("person %d is %s, at a distance of %.2f", person, name, distance)
            else:
                about = (
                    "" if person is None else f"; person {person} is nearest, at a distance of {distance:.2f}"
                )
                log.warning("nobody in the video looks like the photograph of %s%s", name, about)


def _read_photo(path: Path) -> Frame:
    """A photograph, which knows how it is displayed. Raises InputError."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"the photograph {path} cannot be read: {error.strerror}") from None
    if (kind := photo_format(path)) is None:
        raise InputError(f"{path} is not a photo that can be read; give a .jpg, .png, .webp or .heic")
    return with_colour(read_photo(path, kind)).picture


def _height(detection: Detection) -> float:
    return float(detection.box[3] - detection.box[1])
