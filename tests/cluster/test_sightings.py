"""What is told of each frame, and where others can begin."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.clips import pattern, write
from tests.support.recordings import face
from vidrestore.cluster.sightings import CHUNK, Sighting, live_sightings, recorded_sightings
from vidrestore.faces.recorded.recording import Recording
from vidrestore.faces.recorded.tracks_file import write_recording
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.decode.fingerprint import FrameFingerprint
from vidrestore.options import Options
from vidrestore.pipeline import open_for_restoration
from vidrestore.stages.face_source import origin_of, timestamp
from vidrestore.stages.restoration import CONTEXT
from vidrestore.stages.resume import NOTHING
from vidrestore.stages.setup import AnalysisSetup, open_video

COUNT, LENGTH = 110, 50


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    frames = [pattern(i, 64, 48, "yuv420p") for i in range(COUNT)]
    return write(tmp_path_factory.mktemp("clip") / "in.mp4", frames)


class Networks:
    """A detector that finds nobody."""

    def detector(self, name: str, device: Any) -> Any:
        return lambda pictures: [[] for _ in np.asarray(pictures)]


def live(options: Options, state: Any = None) -> list[list[Sighting]]:
    networks: Any = Networks()
    setup = AnalysisSetup.resolve(options)
    return list(live_sightings(options, setup, length=LENGTH, state=state, networks=networks))


def test_every_frame_is_told_and_where_segments_can_begin(clip):
    options = Options(input=clip, output=Path("out.mkv"), device="cpu")
    chunks = live(options)
    told = [sighting for chunk in chunks for sighting in chunk]
    assert max(map(len, chunks)) == CHUNK
    assert [sighting.number for sighting in told] == list(range(COUNT))
    assert all(sighting.given and not sighting.given.faces for sighting in told)
    boundaries = {sighting.number: sighting for sighting in told if sighting.boundary is not None}
    assert {number: each.boundary for number, each in boundaries.items()} == {
        100 - CONTEXT - 1: 100,
        150 - CONTEXT - 1: 150,
    }
    with Decoder(clip) as decoder:
        marks = {frame.index: FrameFingerprint.of(frame.index, frame.video) for frame in decoder}
    assert all(each.mark == marks[number] and each.state for number, each in boundaries.items())

    # And from such a state on.
    state = boundaries[100 - CONTEXT - 1].state
    again = [sighting for chunk in live(options, state) for sighting in chunk]
    assert [sighting.number for sighting in again] == list(range(100 - CONTEXT, COUNT))
    assert again[-1].given == told[-1].given


@pytest.mark.parametrize("shared", [False, True])
def test_recorded_faces_are_told_unless_workers_have_them(clip, tmp_path, shared):
    """The frames around the part are told too: their faces count."""
    options = Options(input=clip, output=Path("out.mkv"), device="cpu")
    with open_video(options) as decoder:
        recording = Recording(origin_of(options, decoder))
        for frame in decoder:
            recording.add(timestamp(frame), [face(1, 30.0)] if frame.index > 50 else [])
    tracks = tmp_path / "tracks.json"
    with tracks.open("w") as file:
        write_recording(recording, file)
    options = Options(
        input=clip,
        output=Path("out.mkv"),
        device="cpu",
        tracks=tracks,
        start=Fraction(10, 25),
        duration=Fraction(3),
    )
    setup = AnalysisSetup.resolve(options)
    with open_for_restoration(options) as decoder:
        feed = recorded_sightings(options, setup, decoder, NOTHING, length=LENGTH, shared=shared)
        told = [sighting for chunk in feed for sighting in chunk]
    assert [sighting.number for sighting in told] == list(range(-10, 100))
    assert [sighting.number for sighting in told if not sighting.context] == list(range(75))
    if shared:
        assert {sighting.given for sighting in told} == {None}
    else:
        faces = [len(sighting.given.faces) for sighting in told if sighting.given]
        assert faces == [number > 40 for number in range(-10, 100)]
    assert (told[0].tracks, told[-1].tracks) == (0, 1)
