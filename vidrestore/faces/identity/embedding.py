"""The identity distance: whether two images show the same person, by dlib's face recognition network."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

_MODEL = "dlib_face_recognition_resnet_model_v1.dat"
_NEEDED = 'the identity distance needs more packages: pip install "vidrestore[persons]"'
CHIP = 150  #: side in pixels of the network's input

#: The square (left, top, side) that dlib would crop from an aligned face of 512 pixels. Determined on 199
#: clean faces with dlib's detector, its five-point predictor and the similarity of ``get_face_chip`` (padding
#: .25): the medians; the deviations are 3, 5 and 18 pixels, and the median rotation of .3 degrees is ignored.
#: A fixed square avoids detection in degraded faces, where dlib would find another place or none. On 44 other
#: faces the embedding is at a median distance of .12 from that of dlib's own crop; different people are .85
#: apart.
SQUARE = (83, 135, 352)
_FACE = 512


class IdentityEmbedding:
    """Computes an embedding of 128 numbers for each aligned face.

    The Euclidean distance of two embeddings is about .85 for different people, and below .6, the threshold of
    the network's training, for images of the same person (King, 2017). Raises ImportError if the packages
    ``dlib-bin`` and ``face_recognition_models`` are not installed.
    """

    name = "faces"
    #: Distance of the mean embeddings of two tracks. On four clips it is at most .31 for one person, and
    #: above .58 in 95 % of pairs of two.
    threshold = 0.5

    def __init__(self) -> None:
        if find_spec("dlib") is None:
            raise ImportError(_NEEDED)
        import dlib

        create = dlib.face_recognition_model_v1  # pyright: ignore[reportAttributeAccessIssue] - no stubs
        self._network = create(str(find_network()))

    def __call__(self, faces: Sequence[np.ndarray]) -> np.ndarray:
        """Map N aligned faces, each (S, S, 3) RGB uint8, to embeddings (N, 128)."""
        chips = [_chip(face) for face in faces]
        return np.array(self._network.compute_face_descriptor(chips))


def find_network() -> Path:
    """Find the file of dlib's network. Raises ImportError if ``face_recognition_models`` is not installed."""
    # Only its data is used: its code imports pkg_resources, which is gone.
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise ImportError(_NEEDED)
    return Path(spec.origin).parent / "models" / _MODEL


def identity_square(size: int) -> tuple[int, int, int]:
    """Return the square (left, top, side) of aligned faces of ``size`` pixels that the network looks at."""
    left, top, side = (round(v * size / _FACE) for v in SQUARE)
    return left, top, side


def _chip(face: np.ndarray) -> np.ndarray:
    left, top, side = identity_square(len(face))
    part = np.ascontiguousarray(face[top : top + side, left : left + side])
    enlarge = side < CHIP
    return cv2.resize(part, (CHIP, CHIP), interpolation=cv2.INTER_CUBIC if enlarge else cv2.INTER_AREA)
