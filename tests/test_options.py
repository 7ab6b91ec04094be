"""The options of a run, as one checked value."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from vidrestore.errors import UsageError
from vidrestore.options import Options


def test_paths_may_be_text():
    options = Options(input="in.mp4", output="out.mp4", tracks="t.json")  # type: ignore[arg-type]
    assert (options.input, options.output, options.tracks) == (
        Path("in.mp4"),
        Path("out.mp4"),
        Path("t.json"),
    )


def test_the_input_must_be_given():
    with pytest.raises(TypeError, match="input"):
        Options()


def test_a_job_that_writes_needs_an_output():
    with pytest.raises(UsageError, match="no OUT is given; name the file to write"):
        _ = Options(input=Path("in.mp4")).destination


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"w": 1.5}, "--w must be between 0 and 1, or auto, not 1.5"),
        ({"w": float("nan")}, "--w must be between 0 and 1"),
        ({"batch": 0}, "--batch must be between 1 and 1024, or auto, not 0"),
        ({"steady": "hand"}, "--steady cannot be 'hand'"),
        ({"track_w": {0: 0.5}}, "--track-w 0=0.5 is out of range; track ids start at 1"),
        ({"start": 2, "end": 1}, "-to 1 is not after -ss 2"),
        ({"compare": "c.mp4", "upscale": 2}, "--compare shows the input and the result at one size"),
        ({"duration": 0}, "-t 0 leaves nothing to restore"),
        ({"container": "avi"}, "-f must be one of matroska"),
    ],
)
def test_what_does_not_fit_is_named(values, message):
    with pytest.raises(UsageError, match=message):
        Options(input=Path("in.mp4"), **values)


@pytest.mark.parametrize(
    ("values", "stop"),
    [({}, None), ({"end": 3}, 3), ({"duration": 3}, 4), ({"end": 9, "duration": 2}, 3)],
)
def test_the_end_of_the_part(values, stop):
    found = Options(input=Path("in.mp4"), start=Fraction(1), **values).stop
    assert found == stop
