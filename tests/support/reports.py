"""A report of a made-up run with a flag of most kinds, and pictures of plain colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tests.support.notes import face, frames, left_alone, record
from vidrestore.restoration.fidelity.rules import Gates
from vidrestore.restoration.guarded import Guards
from vidrestore.review.pictures import Place, data_uri
from vidrestore.review.record import Record
from vidrestore.stages.notes import FrameNotes

#: Blue, green and red of the pictures before and after.
BEFORE, AFTER = (200, 200, 200), (40, 120, 200)


def flagged(**options: Any) -> Record:
    """300 frames in two shots, three tracks: covered from frame 50 on, someone else from 120 on, tiny from 30
    on, not found from 200 on, worn from 250 on."""

    def notes() -> Iterator[FrameNotes]:
        for index in range(300):
            faces = []
            if index < 200:
                drift = 0.25 if 120 <= index < 130 else 0.01
                covered = 0.2 if 50 <= index < 80 else 0.0
                guards = Guards(0.5, drift, 0, 0, 0, 0)
                faces.append(face(1, size=100 + index / 4, covered=covered, guards=guards))
            if 30 <= index < 120:
                faces.append(left_alone(2, gates=Gates(0.1, 1, 1), size=20))
            if index >= 150:
                score, worn = (0.0 if 200 <= index < 206 else 0.9), (0.8 if index >= 250 else 0.0)
                faces.append(face(3, score=score, worn=worn))
            yield from frames(faces, shot=1 + index // 150, start=index)

    return record(notes(), **options)


def photograph(places: Sequence[Place], size: int, after: bool) -> list[str | None]:
    """Pictures of one colour before, and of another one after."""
    return [data_uri(np.full((size, size, 3), AFTER if after else BEFORE, np.uint8)) for _ in places]
