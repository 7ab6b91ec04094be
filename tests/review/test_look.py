"""What previews of one video share."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.clips import pattern, write
from tests.support.drifting import drifting_face, quick_options
from vidrestore.analysis import analyze_video
from vidrestore.errors import InputError, UsageError
from vidrestore.review import look as module
from vidrestore.review.look import looking


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("look")
    drifting_face(folder, 20)
    analyze_video(quick_options(folder, output=folder / "tracks.json"))
    return folder


def test_named_moments_are_shown_as_they_are(folder):
    with looking(quick_options(folder)) as look:
        moments = look.moments((Fraction(1, 2), Fraction(1, 4)), 5)
        assert [(moment.time, moment.why) for moment in moments] == [
            (Fraction(1, 2), ""),
            (Fraction(1, 4), ""),
        ]
        with pytest.raises(UsageError, match=r"--at 9 is after the end of in\.mp4, which lasts 0\.8"):
            look.moments((Fraction(9),), 5)


@pytest.mark.parametrize("recorded", [True, False], ids=["from a tracks file", "from a quick look"])
def test_the_riskiest_moments_are_found(folder, recorded):
    with looking(quick_options(folder, tracks=folder / "tracks.json" if recorded else None)) as look:
        moments = look.moments((), 1)
        assert look.frames == 20
        assert len(moments) == 1
        assert moments[0].place is not None
        assert 0.5 < (look.faces_per_frame or 0) <= 1
        recording = look.faces_around(Fraction(1, 5), 1)
        assert recording is look.recording or not recorded
        assert look.tracked == (0 if recorded else 20)
        assert [len(shown.faces) for shown in look.restored(recording, Fraction(1, 5), 2)] == [1, 1]
        assert look.restoring > 0


def test_a_video_without_faces(folder, tmp_path):
    clip = write(tmp_path / "in.mp4", [pattern(i, 64, 48, "yuv420p") for i in range(5)])
    with (
        looking(quick_options(folder, input=clip)) as look,
        pytest.raises(InputError, match=r"no face .* was found in in\.mp4; give --at"),
    ):
        look.moments((), 5)


def test_what_would_be_said_for_each_part_is_not_said(folder):
    quiet = logging.getLogger(module._REPEATED[0])
    level = quiet.level
    with looking(quick_options(folder)):
        assert not quiet.isEnabledFor(logging.WARNING)
    assert quiet.level == level
