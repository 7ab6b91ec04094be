"""Whether two pictures show the same person, by dlib's face recognition network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

_MODEL = "dlib_face_recognition_resnet_model_v1.dat"
_CHIP = 150  #: side in pixels of what the network sees

#: The square of an aligned face of 512 pixels that dlib would cut out itself: left, top, side. Found on 199
#: clean faces with dlib's detector, its five-point predictor and the similarity of ``get_face_chip``
#: (padding .25): medians over the faces, whose deviations are 3, 5 and 18 pixels; the median turn is .3
#: degrees and left out. So nothing is looked for in a degraded face, where dlib would find it elsewhere
#: or not at all. On 44 other faces the embedding is .12 (median) from that of dlib's own chip, while
#: different people are .85 apart.
SQUARE = (83, 135, 352)
_FACE = 512


class IdentityEmbedding:
    """128 numbers for each aligned face. Their Euclidean distance is about .85 for different people, and
    below .6, the threshold that the network was trained with, for pictures of the same person (King, 2017).

    Needs the packages ``dlib-bin`` and ``face_recognition_models``; ImportError says so.
    """

    def __init__(self) -> None:
        # The second one's code wants a module that is not there any more: only its files are used.
        spec = find_spec("face_recognition_models")
        if find_spec("dlib") is None or spec is None or spec.origin is None:
            raise ImportError(
                "the identity distance needs packages: pip install dlib-bin face_recognition_models"
            )
        import dlib

        path = Path(spec.origin).parent / "models" / _MODEL
        self._network = dlib.face_recognition_model_v1(str(path))

    def __call__(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        """Aligned faces, each (S, S, 3) RGB uint8 -> (N, 128)."""
        chips = [_chip(face) for face in faces]
        return np.array(self._network.compute_face_descriptor(chips))


def _chip(face: np.ndarray) -> np.ndarray:
    left, top, side = (round(v * len(face) / _FACE) for v in SQUARE)
    part = np.ascontiguousarray(face[top : top + side, left : left + side])
    enlarge = side < _CHIP
    return cv2.resize(part, (_CHIP, _CHIP), interpolation=cv2.INTER_CUBIC if enlarge else cv2.INTER_AREA)
