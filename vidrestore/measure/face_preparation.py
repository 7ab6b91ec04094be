"""Preparing face sets: find the largest face of a photograph and align it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from ..errors import InputError
from ..faces.alignment.align import TEMPLATE_SIZE, alignment_matrix
from ..faces.detection.detector import Detector
from ..faces.detection.working_size import working_size
from .face_set import FaceSetWriter

#: Minimum score of a detection.
SCORE = 0.9


def prepare_faces(
    photos: Iterable[Path], detector: Detector, folder: Path, *, shards: bool = False
) -> list[Path]:
    """Align the largest face of each photograph, and write the faces to ``folder`` as a face set, with
    ``shards`` in files of at most 60 MB.

    Returns:
        The photographs in which no face was found.

    Raises:
        InputError: No face was found in any photograph.
    """
    writer, found, without = FaceSetWriter(folder, shards=shards), 0, []
    for path in tqdm(photos, unit="photo"):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        landmarks = None if image is None else largest_face(image, detector)
        if image is None or landmarks is None:
            without.append(path)
            continue
        face, factor = aligned_face(image, landmarks)
        writer.add(face, f"{path.parent.name}/{path.name}", factor)
        found += 1
    if not found:
        raise InputError("no face was found in any photograph; give folders of JPEG or PNG portraits")
    writer.finish()
    return without


def largest_face(image: np.ndarray, detector: Detector) -> np.ndarray | None:
    """Return the landmarks (5, 2) of the largest clear face of an image (H, W, 3) uint8 BGR, or None."""
    height, width = image.shape[:2]
    working_width, working_height = working_size(width, height)
    # For close portraits the detector works best at a small size.
    scale = min(1.0, 320 / min(working_width, working_height))
    size = max(1, round(working_width * scale)), max(1, round(working_height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    detections = [d for d in detector(small[None])[0] if d.score >= SCORE]
    if not detections:
        return None
    largest = max(detections, key=lambda d: float(np.prod(d.box[2:] - d.box[:2])))
    return largest.scaled(width / size[0], height / size[1]).landmarks


def aligned_face(image: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, float]:
    """Warp the face with these landmarks (5, 2) out of an image (H, W, 3) uint8 BGR.

    Returns:
        The aligned face (512, 512, 3) RGB uint8, and the factor by which it was enlarged.
    """
    matrix = alignment_matrix(landmarks)
    enlarged = math.hypot(matrix[0, 0], matrix[1, 0])
    shrink = 1.0
    if enlarged < 0.75:  # warping does not average areas: downscale before
        shrink = min(1.0, 1.25 * enlarged)
        image = cv2.resize(image, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    matrix = matrix @ np.diag([1 / shrink, 1 / shrink, 1.0])
    # The centre of a pixel is at half-integer coordinates here, but at integer coordinates in OpenCV.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ matrix @ half
    size = (TEMPLATE_SIZE, TEMPLATE_SIZE)
    face = cv2.warpAffine(image, matrix[:2], size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return cv2.cvtColor(face, cv2.COLOR_BGR2RGB), enlarged
