"""What a run was in the midst of, as JSON can hold it: numbers come back as they were, to the last bit."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from .face import Detection

#: What JSON can hold.
State = dict[str, Any]


def pack_array(array: np.ndarray) -> State:
    """An array of numbers, of any shape."""
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": array.shape, "data": data}


def unpack_array(state: State) -> np.ndarray:
    """What :func:`pack_array` was given. Raises ValueError or KeyError for what it did not make."""
    data = base64.b64decode(state["data"], validate=True)
    return np.frombuffer(data, np.dtype(state["dtype"])).reshape(state["shape"]).copy()


def pack_detections(detections: Sequence[Detection]) -> list[State]:
    """The detections of a frame."""
    return [
        {"box": pack_array(found.box), "score": float(found.score), "landmarks": pack_array(found.landmarks)}
        for found in detections
    ]


def unpack_detections(state: list[State]) -> list[Detection]:
    """What :func:`pack_detections` was given."""
    return [
        Detection(
            box=unpack_array(found["box"]),
            score=found["score"],
            landmarks=unpack_array(found["landmarks"]),
        )
        for found in state
    ]
