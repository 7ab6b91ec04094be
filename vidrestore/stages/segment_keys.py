"""The keys of segments: everything that the frames of each segment depend on, and nothing else.

A frame depends on its own samples, on the encoder, and on the faces in it. A restored face depends on the
faces of its track in the ``CONTEXT`` frames around it, on what is set for each of these, and on the networks.
What is noted of a frame is in its segment too, so what the notes say counts as well.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from ..faces.face import Face
from ..options import Options
from .restoration import CONTEXT
from .resume import EMBEDDING, MASK, model_key
from .setup import Setup

#: What only frames with faces depend on, by the names of the resume key.
_OF_FACES = (
    *("the model", "what runs the model", "the face parser", "the device", "the precision"),
    *("--steady", "--min-face", "--max-sharpness", "--max-yaw", "--task", MASK),
)
#: What is keyed for each face, by its position and what is set for it.
_PER_FACE = (
    *("the tracks file", "the detector", "the models of persons", EMBEDDING),
    *("--w", "--strength", "--track-w", "--person-w"),
)
#: What finding faces does not depend on.
_OF_OUT = ("the encoder", "the segment length", "-f", "the upscaler", "--upscale", "--face-upsample")
#: What computes restored faces besides this program.
_LIBRARIES = {"PyTorch": torch.__version__, "NumPy": np.__version__, "OpenCV": cv2.__version__}


class SegmentKeys:
    """Makes the keys of one run's segments from its resume key."""

    def __init__(self, run: Mapping[str, str], options: Options, setup: Setup) -> None:
        assert setup.container is not None  # as OUT is given
        code = {"the code": code_fingerprint(), "PyAV": av.__version__}
        shared = {name: value for name, value in run.items() if name not in (*_OF_FACES, *_PER_FACE)}
        #: Names all segments that differ in their faces only.
        computed = _LIBRARIES if setup.upscaler else {}  # samples outside faces too
        self.group = digest(repr(shared | code | computed | {"the container": setup.container.name}))[:16]
        #: Names the faces that are found in this input.
        self.found = digest(
            repr(
                {name: value for name, value in shared.items() if name not in _OF_OUT}
                | code
                | {name: run.get(name) for name in ("the detector", "the device")}
                | _LIBRARIES
            )
        )[:16]
        self._embedding = run.get(EMBEDDING)
        self._faces = repr({name: run.get(name) for name in _OF_FACES} | _LIBRARIES)
        self._options = options
        self._track_w = dict(options.track_w)
        self._model = setup.restorer.model
        self._keys = {name: model_key(name) for name in setup.restorer.others}

    def of_segments(
        self,
        timestamps: Sequence[int],
        shots: Sequence[int],
        faces: Sequence[Mapping[int, bytes]],
        *,
        first: int,
        end: int,
        length: int,
    ) -> list[str]:
        """The keys of the segments of ``length`` frames.

        Args:
            timestamps: Of the frames, those of the context before and after the written ones included.
            shots: The number of the shot that each is in, which is noted with it.
            faces: What :meth:`describe` says of the faces of each of these frames, by their tracks.
            first: The place of the first frame that is written.
            end: The place after the last one.
            length: Frames per segment.
        """
        keys = []
        for begin in range(first, end, length):
            stop = min(begin + length, end)
            own = set[int]().union(*faces[begin:stop])
            frames = (begin - first, list(timestamps[begin:stop]), list(shots[begin:stop]))
            content = hashlib.blake2b(repr(frames).encode())
            if own:
                content.update(self._faces.encode())
                around = range(max(0, begin - CONTEXT), min(stop + CONTEXT, len(faces)))
                for place in around:
                    for track, face in faces[place].items():
                        if track in own:
                            content.update(struct.pack("<q", place - begin) + face)
            keys.append(f"{self.group}-{content.hexdigest()[:32]}")
        return keys

    def describe(self, face: Face) -> bytes:
        """A hash of everything about a face, as it reaches restoration, that its restoration depends on or
        that is noted."""
        set_w, set_strength = face.adjustment.w, face.adjustment.strength
        # The weight of --track-w is not spread over time where it begins, so it is not the same as another.
        named = self._track_w.get(face.track)
        settings = (
            face.score,
            named,
            self._options.w if set_w is None else set_w,
            self._options.strength if set_strength is None else set_strength,
            self._model_of(face),
            *((face.reference, self._embedding) if face.reference else ()),
        )
        numbers = (face.track, *face.box.tolist(), *face.landmarks.ravel().tolist(), face.strength)
        described = struct.pack("<q15d", *numbers) + repr(settings).encode()
        return hashlib.blake2b(described, digest_size=16).digest()

    def _model_of(self, face: Face) -> str | None:
        """The key of the model that a person chose for ``face``; None: the run's."""
        name = face.adjustment.restorer
        return None if name is None or name == self._model else self._keys[name]


def digest(text: str) -> str:
    """A hash of ``text``."""
    return hashlib.blake2b(text.encode()).hexdigest()


@cache
def code_fingerprint() -> str:
    """A hash of this program, so that a store never mixes the frames of two versions."""
    package = Path(__file__).parents[1]
    content = hashlib.blake2b()
    for path in sorted(package.rglob("*.py")):
        content.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return content.hexdigest()
