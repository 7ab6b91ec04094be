"""Play back faces that another source has found in some frames of a video, exactly as it yielded them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Generic, NamedTuple

from ...errors import InputError
from ..face import Face
from ..json_state import State
from ..source import Frame


class Given(NamedTuple):
    """What a source said of one frame."""

    faces: tuple[Face, ...]
    shots: int  #: that had begun by then


class GivenSource(Generic[Frame]):
    """A ``FaceSource`` for those frames whose faces are ``given``, by their numbers.

    Unlike a recording it keeps every digit, so that what follows is what it would be in one run.
    """

    def __init__(self, given: Mapping[int, Given], *, number: Callable[[Frame], int]) -> None:
        self._given = given
        self._number = number
        self._seen = set[int]()
        self.tracks = 0
        self.faces = 0
        self.shots = 0

    def state(self) -> State:
        """See ``FaceSource.state``: faces depend on what is given only."""
        return {}

    def resume(self, state: State) -> None:
        """See ``FaceSource.resume``."""

    def has_frame(self, frame: Frame) -> bool:
        """Whether the faces of this frame are given."""
        return self._number(frame) in self._given

    def stream(
        self, items: Iterable[tuple[Frame, object]], scale: tuple[float, float] = (1.0, 1.0)
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """See ``FaceSource.stream``; neither the images nor ``scale`` are used. Raises InputError for a frame
        whose faces are not given."""
        for frame, _ in items:
            number = self._number(frame)
            if number not in self._given:
                raise InputError(f"frame {number} was not there when faces were looked for; is IN complete?")
            faces, self.shots = self._given[number]
            self._seen.update(face.track for face in faces)
            self.tracks, self.faces = len(self._seen), self.faces + len(faces)
            yield frame, faces
