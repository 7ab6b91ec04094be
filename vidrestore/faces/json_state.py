"""Serialise arrays and detections, the parts of a tracker's state, to JSON and back, bit-exact."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np

from .face import Detection

#: An object that JSON can represent.
State = dict[str, Any]


def pack_array(array: np.ndarray) -> State:
    """Encode an array of numbers, of any shape and dtype."""
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.str, "shape": array.shape, "data": data}


def unpack_array(state: State) -> np.ndarray:
    """Decode an array encoded by :func:`pack_array`. Raises ValueError or KeyError for anything else."""
    data = base64.b64decode(state["data"], validate=True)
    return np.frombuffer(data, np.dtype(state["dtype"])).reshape(state["shape"]).copy()


def pack_detections(detections: Sequence[Detection]) -> list[State]:
    """Encode the detections of one frame."""
    return [
        {
            "box": pack_array(detection.box),
            "score": float(detection.score),
            "landmarks": pack_array(detection.landmarks),
        }
        for detection in detections
    ]


def unpack_detections(state: list[State]) -> list[Detection]:
    """Decode detections encoded by :func:`pack_detections`."""
    return [
        Detection(
            box=unpack_array(entry["box"]),
            score=entry["score"],
            landmarks=unpack_array(entry["landmarks"]),
        )
        for entry in state
    ]
