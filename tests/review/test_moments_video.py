"""The video of moments: frames of the full run, times, length, and the estimate."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.support import reader
from tests.support.clips import decode
from tests.support.drifting import drifting_face, quick_options
from vidrestore.analysis import analyze_video
from vidrestore.errors import OutputError
from vidrestore.media.frames.pixel_format import plane_views
from vidrestore.media.output.video_writer import VideoWriter
from vidrestore.pipeline import restore_video
from vidrestore.review import moments_video as module
from vidrestore.review.look import looking
from vidrestore.review.moments import Moment
from vidrestore.review.moments_video import Estimate, frames_of_each, moments_video

COUNT, SIZE = 40, 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("moments")
    drifting_face(folder, COUNT, size=SIZE)
    analyze_video(quick_options(folder, output=folder / "tracks.json"))
    return folder


def luma(path: Path) -> np.ndarray:
    return np.stack([plane_views(video)[0].copy() for video in decode(path)])


def test_frames_are_those_of_the_input_and_of_the_full_run(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "frames_of_each", lambda look, moments: 4)
    out, full, done = tmp_path / "worst.mkv", tmp_path / "full.mkv", []
    options = quick_options(folder, tracks=folder / "tracks.json")
    with looking(options) as look:
        moments = [Moment(Fraction(10, 25), "small, 12 px"), Moment(Fraction(1))]
        estimate = moments_video(look, moments, out, lambda *numbers: done.append(numbers))
    assert done == [(1, 2), (2, 2)]
    restore_video(replace(options, output=full))
    shown, before, after = luma(out), luma(folder / "in.mp4"), luma(full)
    numbers = [8, 9, 10, 11, 23, 24, 25, 26]
    assert np.array_equal(shown[:, :SIZE, :SIZE], before[numbers])
    assert np.array_equal(shown[:, :SIZE, SIZE:], after[numbers])
    assert (shown[:4, SIZE:, SIZE:] != shown[4:, SIZE:, SIZE:]).any(), "why is said for each"
    times = [line.time for line in reader.frames(out)]
    assert float(times[4]) == pytest.approx(2, abs=0.1), "each moment is shown for two seconds"
    assert times == sorted(times)
    assert len(reader.packets(out, "0")) == len(times), "nothing else is in the file"
    assert estimate is not None
    assert 0 < estimate.size < 5 * full.stat().st_size
    assert 0 < estimate.seconds < 1000


def test_an_error_leaves_nothing(folder, tmp_path, monkeypatch):
    def full(self, frame) -> None:
        raise OutputError("worst.mp4 cannot be written: No space left on device")

    monkeypatch.setattr(VideoWriter, "write", full)
    options = quick_options(folder, tracks=folder / "tracks.json", codec=None)
    with looking(options) as look, pytest.raises(OutputError, match="No space left"):
        moments_video(look, [Moment(Fraction(0))], tmp_path / "worst.mp4", lambda *numbers: None)
    assert not list(tmp_path.iterdir())


def test_moments_are_as_long_as_a_tenth_of_the_run_allows(folder):
    lengths = []
    with looking(quick_options(folder, tracks=folder / "tracks.json")) as look:
        for seconds in (1, 120, 300, 7200):
            look.source = replace(look.source, frames=25 * seconds)
            lengths.append(frames_of_each(look, 5))
        recording, look.recording = look.recording, None  # the faces are still to be found
        found = []
        for frames in (2200, 2400, 2700, 3600):
            look.source = replace(look.source, frames=frames, duration=Fraction(frames, 25))
            found.append(frames_of_each(look, 5))
        assert found[0] == 6, "a tenth is less than stills take, and these do not show how a face moves"
        assert 1 == found[1] < found[2] < 6 <= found[3]
        look.recording = recording
        look.source = replace(look.source, frames=None, duration=None)
        assert frames_of_each(look, 5) == 50
    assert lengths == sorted(lengths)
    assert lengths[0] == 6, "a quarter of a second: a still does not show how a face moves"
    assert lengths[1] > 6
    assert lengths[-1] == 50


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(70, 2.5e6), "about 70 seconds and become about 2.5 MB"),
        (Estimate(600, 2.5e9), "about 10 minutes and become about 2.5 GB"),
        (Estimate(36000, 1e6), "about 10.0 hours"),
    ],
)
def test_the_estimate_in_words(estimate, words):
    assert words in str(estimate)
