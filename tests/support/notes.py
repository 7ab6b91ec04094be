"""Notes of frames and faces, as a run would make them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vidrestore.faces.recorded.recording import Origin
from vidrestore.media.timeline import Span
from vidrestore.options import Options
from vidrestore.restoration.guarded import Guards
from vidrestore.review.record import Record
from vidrestore.review.spool import Spool
from vidrestore.runtime.device import find_device
from vidrestore.stages.light_change import CELLS, pack
from vidrestore.stages.notes import FaceNotes, FrameNotes
from vidrestore.stages.setup import AnalysisSetup, RestorerSetup, Setup

#: What the guards make of a face that they have nothing against.
CONTENT = Guards(0.5, 0.01, 0.0, 0.0, 0.0, 0.0)
ORIGIN = Origin(name="in.mp4", width=640, height=360, time_base=Fraction(1, 25), begin=Fraction(0))


def lit(levels: float | np.ndarray = 0.0) -> str:
    """A change of light, packed: of all cells, or of each."""
    return pack(np.broadcast_to(np.float32(levels), (CELLS, CELLS)))


def face(track: int = 1, **values: Any) -> FaceNotes:
    """A face that is restored without anything to be said about it."""
    given = {
        "box": (100.0, 50.0, 200.0, 180.0),
        "fade": 1.0,
        "score": 0.99,
        "fit": 1.0,
        "size": 110.0,
        "sharpness": 0.45,
        "noise": 0.0,
        "yaw": 0.05,
        "w": 0.5,
        "strength": 1.0,
        "restored": True,
        "guards": CONTENT,
        "region": (90, 40, 210, 190),
        "light": lit(),
    }
    return FaceNotes(track=track, **given | values)


def left_alone(track: int = 1, **values: Any) -> FaceNotes:
    """A face that is not restored."""
    nothing = {"restored": False, "guards": None, "region": None, "light": None}
    return face(track, **nothing | {"strength": 0.0} | values)


def frames(*faces: Iterable[FaceNotes], shot: int = 1, start: int = 0) -> list[FrameNotes]:
    """Frames with these faces, at 25 frames per second."""
    return [FrameNotes(pts=start + i, shot=shot, faces=list(those)) for i, those in enumerate(faces)]


def record(notes: Iterable[FrameNotes], *, restored: bool = True, **options: Any) -> Record:
    """The record of a run with these notes; or of an analysis, if nothing was ``restored``."""
    spool = Spool()
    spool.add(notes)
    decided: dict[str, Any] = {
        "input": Path("in.mp4"),
        "span": Span(Fraction(0), None),
        "device": find_device("cpu"),
        "detector": "retinaface_mobile0.25",
        "detector_size": (640, 360),
        "detector_batch": 1,
        "downloads": (),
    }
    restorer = RestorerSetup(
        others=(),
        others_missing=(),
        device=find_device("cpu"),
        precision="fp32",
        task="restore",
        model="lite",
        weights=None,
        fallback=None,
        missing=False,
        face_parser=None,
    )
    if restored:
        setup = Setup(**decided, restorer=restorer, upscaler=None, batch=1, container=None, encoder=None)
    else:
        setup = AnalysisSetup(**decided)
    given = {"input": "in.mp4", "output": "out.mkv"} | options
    return Record(
        options=Options(**given),
        origin=ORIGIN,
        setup=setup,
        licence=None,
        times={"seconds": 1.5},
        settings={},
        persons={},
        notes=spool,
    )
