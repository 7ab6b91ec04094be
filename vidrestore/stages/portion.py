"""A portion of a run: consecutive segments, restored by themselves as they are in a run over all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..faces.face import Face
from ..faces.recorded.given_source import Given, GivenSource
from ..faces.recorded.recorded_source import RecordedSource
from ..faces.recorded.recording import Recording
from ..faces.source import FaceSource
from ..media.decode.decoder import Decoder
from ..media.decode.fingerprint import FrameFingerprint
from ..media.frames.frame import Frame
from .face_source import timestamp
from .needs import Needs
from .restoration import CONTEXT
from .stretches import Stretches


@dataclass(frozen=True, kw_only=True)
class Portion:
    """Consecutive segments, and all that is known of the frames that they depend on."""

    frames: range  #: the numbers of their frames
    length: int  #: frames per segment; the last one of a video may have fewer
    #: The fingerprint of the frame just before the context of each segment, by its first frame; there is none
    #: at the beginning of the video.
    marks: Mapping[int, FrameFingerprint]
    #: The faces of these frames and their context, by number; None: a recording has them.
    faces: Mapping[int, Given] | None

    @property
    def needed(self) -> range:
        """These frames and their context, those before and after the video included."""
        return _with_context(self.frames)

    def part(self, frames: range) -> Portion:
        """The segments of ``frames``, some of those of this portion."""
        marks = {first: mark for first, mark in self.marks.items() if first in frames}
        faces, needed = self.faces, _with_context(frames)
        if faces is not None:
            faces = {number: given for number, given in faces.items() if number in needed}
        return replace(self, frames=frames, marks=marks, faces=faces)


class PortionRun:
    """Restores the frames of a portion; with the members of :class:`.resume.Resume`."""

    def __init__(self, portion: Portion, recording: Recording | None, *, task: str = "restore") -> None:
        """``recording`` has the faces if the portion has none. ``task`` is what is done to them."""
        self._portion = portion
        self.source: RecordedSource[Frame] | GivenSource[Frame]
        if portion.faces is None:
            assert recording is not None
            self.source = RecordedSource(recording, pts=timestamp)
        else:
            self.source = GivenSource(portion.faces, number=lambda frame: frame.index)
        self.wanted = Stretches((portion.frames,))
        guarded = recording is not None and any(each.reference for each in recording.persons.values())
        self.needs = Needs.of(portion.frames, guarded=guarded, task=task)

    def decoded(self, decoder: Decoder) -> Iterator[Frame]:
        """The frames of the portion and their context."""
        needed = self._portion.needed
        if mark := self._portion.marks.get(self._portion.frames.start):
            decoder.resume_after(mark)
        for frame in decoder:
            if frame.index in needed:
                yield frame
            if frame.index >= needed.stop - 1:
                break

    def watch(
        self, source: FaceSource[Frame], tracked: Iterable[tuple[Frame, tuple[Face, ...]]]
    ) -> Iterator[tuple[Frame, tuple[Face, ...]]]:
        """Pass ``tracked`` through, without faces that no wanted frame depends on."""
        for frame, faces in tracked:
            yield frame, faces if frame.index in self.needs.aligned else ()


def _with_context(frames: range) -> range:
    return range(frames.start - CONTEXT, frames.stop + CONTEXT)
