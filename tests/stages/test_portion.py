"""Portions: what they hold of their frames and of those around them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.recordings import recording
from vidrestore.faces.face import PersonSettings
from vidrestore.faces.recorded.given_source import Given, GivenSource
from vidrestore.faces.recorded.recorded_source import RecordedSource
from vidrestore.media.decode.fingerprint import FrameFingerprint
from vidrestore.stages.portion import Portion, PortionRun
from vidrestore.stages.restoration import CONTEXT


def portion(first: int, stop: int, length: int = 50) -> Portion:
    return Portion(
        frames=range(first, stop),
        length=length,
        marks={
            begin: FrameFingerprint(begin - CONTEXT - 1, 0, "")
            for begin in range(first, stop, length)
            if begin > CONTEXT
        },
        faces={number: Given((), 0) for number in range(max(0, first - CONTEXT), stop + CONTEXT)},
    )


def test_a_part_has_what_its_own_frames_depend_on():
    whole = portion(100, 230)
    part = whole.part(range(150, 200))
    assert (part.frames, part.length) == (range(150, 200), 50)
    assert part.marks == {150: whole.marks[150]}
    assert list(part.faces or ()) == list(range(150 - CONTEXT, 200 + CONTEXT))
    assert Portion(frames=range(5), length=5, marks={}, faces=None).part(range(5)).faces is None


class Decoder:
    """Counts frames from the one after a mark."""

    def __init__(self) -> None:
        self.begin, self.read = 0, 0

    def resume_after(self, mark: FrameFingerprint) -> None:
        self.begin = mark.index + 1

    def __iter__(self):
        for number in range(self.begin, 1000):
            self.read += 1
            yield SimpleNamespace(index=number)


@pytest.mark.parametrize(("first", "stop"), [(0, 50), (50, 100), (100, 200)])
def test_only_the_frames_that_it_depends_on_are_decoded(first, stop):
    decoder: Any = Decoder()
    decoded = [frame.index for frame in PortionRun(portion(first, stop), None).decoded(decoder)]
    assert decoded == list(range(max(0, first - CONTEXT), stop + CONTEXT))
    assert decoder.read == len(decoded)


def test_faces_come_from_the_portion_or_else_from_the_recording():
    assert isinstance(PortionRun(portion(0, 50), None).source, GivenSource)
    recorded = recording()
    without = Portion(frames=range(10), length=10, marks={}, faces=None)
    run = PortionRun(without, recorded)
    assert isinstance(run.source, RecordedSource)
    assert run.source.recording is recorded


def test_photographs_make_more_frames_needed():
    recorded = recording()
    without = Portion(frames=range(10), length=10, marks={}, faces=None)
    plain = PortionRun(without, recorded).needs
    recorded.persons[1] = PersonSettings(reference=(1.0,))
    assert PortionRun(without, recorded).needs.compared > plain.compared


def test_faces_that_no_frame_depends_on_are_left_out():
    run = PortionRun(portion(200, 250), None)
    tracked: Any = [(SimpleNamespace(index=number), ("a face",)) for number in (200 - CONTEXT - 1, 200)]
    source: Any = None
    assert [faces for _, faces in run.watch(source, tracked)] == [(), ("a face",)]
