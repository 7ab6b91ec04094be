"""Groups of faces whose figures a model card tells apart: by set, by pose, and by skin tone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np

from ..faces.detection.detector import Detector
from ..restoration.fidelity.face_quality import face_yaw
from .face_evaluation import FaceEvaluation, NamedFace
from .face_preparation import largest_face
from .images import to_rows
from .methods import INPUT, method_name
from .tables import plain_table

#: Upper bounds of the groups by yaw, in degrees.
_TURNED = {"frontal": 15.0, "turned": 30.0, "far turned": 90.0}
#: Lower bounds of the groups by individual typology angle, in degrees (Chardon et al., 1991): their names for
#: the range are light, intermediate and tan, brown and dark.
_TONES = {"light": 41.0, "middle": 10.0, "dark": -90.0}
#: Half the side of the patch of a cheek, as a share of the distance from the eye to the corner of the mouth.
_CHEEK = 0.15
#: Figures of the tables.
_FIGURES = ("psnr", "vgg", "identity")


def group_faces(faces: Sequence[NamedFace], detector: Detector) -> dict[str, list[int]]:
    """Return the numbers of the faces in each group, by its name, such as "set portraits", "pose frontal" or
    "skin dark". A face whose landmarks are not found is in no group of pose or skin."""
    groups: dict[str, list[int]] = {
        f"set {name}": [] for name in sorted({_set_of(name) for name, _ in faces})
    }
    groups |= {f"pose {name}": [] for name in _TURNED} | {f"skin {name}": [] for name in _TONES}
    for number, (name, face) in enumerate(faces):
        groups[f"set {_set_of(name)}"].append(number)
        image = to_rows(face)
        landmarks = largest_face(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), detector)
        if landmarks is None:
            continue
        groups[f"pose {pose(landmarks)}"].append(number)
        groups[f"skin {tone(typology_angle(image, landmarks))}"].append(number)
    return {name: numbers for name, numbers in groups.items() if numbers}


def pose(landmarks: np.ndarray) -> str:
    """Return the group of a face with ``landmarks`` (5, 2) by its yaw: the first whose bound is not less."""
    degrees = 90 * face_yaw(landmarks)
    return next(name for name, most in _TURNED.items() if degrees <= most)


def tone(angle: float) -> str:
    """Return the group of an individual typology ``angle`` in degrees: the first whose bound is less."""
    return next(name for name, least in _TONES.items() if angle > least)


def typology_angle(image: np.ndarray, landmarks: np.ndarray) -> float:
    """Return the individual typology angle in degrees of the skin of a face (S, S, 3) RGB uint8:
    arctan((L* - 50) / b*) of its median colour between each eye and the corner of the mouth below it
    (Chardon et al., International Journal of Cosmetic Science, 1991). It follows the light of the photograph.
    """
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    patches = []
    for eye, corner in ((landmarks[0], landmarks[3]), (landmarks[1], landmarks[4])):
        half = max(1.0, _CHEEK * float(np.hypot(*(corner - eye))))
        centre = (eye + corner) / 2
        left, top = np.maximum(0, np.floor(centre - half)).astype(int)
        right, bottom = np.ceil(centre + half).astype(int)
        patches.append(lab[top:bottom, left:right].reshape(-1, 3))
    lightness, _, yellow = np.median(np.concatenate(patches), axis=0)
    # Grey and bluish skin has no such angle: it counts as its limit.
    return math.degrees(math.atan2(float(lightness) - 50, max(float(yellow), 1e-6)))


def group_tables(
    found: FaceEvaluation, groups: Mapping[str, Sequence[int]], model: str, weights: Iterable[float]
) -> dict[str, list[dict[str, object]]]:
    """Return by level the rows of a table: each group's name, its number of faces, and for the input and
    ``model`` at each of ``weights`` the means of PSNR, perceptual (VGG) and identity distance."""
    methods = {INPUT: INPUT} | {f"w={w:g}": method_name(model, w) for w in weights}
    tables = {}
    for level, by_method in found.per_face.items():
        rows = []
        for group, numbers in groups.items():
            row: dict[str, object] = {"group": group, "faces": len(numbers)}
            for name, method in methods.items():
                for figure in _FIGURES:
                    values = np.array(by_method[method][figure])[list(numbers)]
                    row[f"{name},{figure}"] = float(values.mean())
            rows.append(row)
        tables[level] = rows
    return tables


def group_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Return the rows of one level as text."""
    figures = [name for name in rows[0] if name not in ("group", "faces")]
    digits = {"psnr": 2}
    columns = [f"{name}:.{digits.get(name.split(',')[1], 3)}f" for name in figures]
    return plain_table(rows, " ".join(["group", "faces", *columns]))


def _set_of(name: str) -> str:
    """The folder from which a face was prepared; of an image without one, its own folder is all there is."""
    return name.rpartition("/")[0] or "-"
