"""Frames come with their faces, detected and tracked or from a tracks file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.clips import write
from tests.support.runs import face_frame
from vidrestore.analysis import analyze_video
from vidrestore.errors import InputError
from vidrestore.options import Options
from vidrestore.runtime.scheduler import Stages
from vidrestore.stages.face_source import origin_of, recorded_source, timestamp, track_faces
from vidrestore.stages.setup import AnalysisSetup, open_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """Twelve frames with one face, the first at 0.5 s."""
    folder = tmp_path_factory.mktemp("source")
    frames = [face_frame(320, 240, "yuv420p", shift=2 * i) for i in range(12)]
    return write(
        folder / "in.mkv", frames, times=[500 + 40 * i for i in range(12)], time_base=Fraction(1, 1000)
    )


@pytest.fixture(scope="module")
def tracks(clip) -> Path:
    """The faces of the middle of the clip."""
    path = clip.with_name("tracks.json")
    analyze_video(Options(input=clip, output=path, start=Fraction(2, 25), end=Fraction(8, 25)))
    return path


def faces_of(options: Options, context: int = 0) -> dict[int, int]:
    """How many faces each frame has, by its timestamp; what is watched comes out unchanged."""
    seen = []

    def watch(source, tracked):
        for frame, faces in tracked:
            seen.append(timestamp(frame))
            yield frame, faces

    with open_video(options, context=context) as decoder, Stages() as stage:
        setup = AnalysisSetup.resolve(options, decoder.source)
        source, tracked = track_faces(options, setup, decoder, stage, watch)
        found = {timestamp(frame): len(faces) for frame, faces in tracked}
    assert list(found) == seen
    assert source.faces == sum(found.values())
    return found


def test_detected_and_tracked(clip):
    assert faces_of(Options(input=clip)) == {500 + 40 * i: 1 for i in range(12)}


def test_from_a_tracks_file(clip, tracks):
    part = Options(input=clip, tracks=tracks, start=Fraction(4, 25), end=Fraction(6, 25))
    assert faces_of(part) == {660: 1, 700: 1}


def test_context_outside_the_analysed_span_is_skipped(clip, tracks):
    part = Options(input=clip, tracks=tracks, start=Fraction(4, 25), end=Fraction(6, 25))
    assert list(faces_of(part, context=5)) == [580 + 40 * i for i in range(6)]


def test_the_origin_tells_videos_apart(clip, tracks, tmp_path):
    options = Options(input=clip, start=Fraction(2, 25))
    with open_video(options) as decoder:
        origin = origin_of(options, decoder)
    assert (origin.name, origin.width, origin.height) == ("in.mkv", 320, 240)
    assert (origin.begin, origin.start, origin.end) == (Fraction(1, 2), 0.08, None)
    other = write(tmp_path / "other.mkv", [face_frame(160, 120, "yuv420p")])
    options = Options(input=other, tracks=tracks)
    with open_video(options) as decoder, pytest.raises(InputError, match=r"320x240.*160x120"):
        recorded_source(options, decoder)
