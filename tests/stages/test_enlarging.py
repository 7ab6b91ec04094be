"""What becomes of a video's facts, and of what is written to its frames, when it is enlarged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vidrestore.errors import UsageError
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.frames.crop import Blended
from vidrestore.stages.enlarging import enlarge, enlarged_source, in_input

SAMPLE = Path(__file__).parents[2] / "samples" / "portrait.mp4"


@pytest.fixture(scope="module")
def source():
    with Decoder(SAMPLE) as decoder:
        return decoder.source


def test_sizes_grow_and_shapes_stay(source):
    cropped = replace(source, presentation=replace(source.presentation, cropping=(1, 2, 3, 4)))
    enlarged = enlarged_source(cropped, 3)
    assert (enlarged.width, enlarged.height) == (1920, 1080)
    assert enlarged.upright_size == (1920, 1080)
    assert enlarged.sample_aspect_ratio == source.sample_aspect_ratio
    assert enlarged.presentation.cropping == (3, 6, 9, 12)
    assert enlarged_source(source, 1) is source


def test_fields_are_not_mixed(source):
    with pytest.raises(UsageError, match="is interlaced, and enlarging would mix its fields"):
        enlarged_source(replace(source, interlaced=True), 2)


def test_without_an_upscaler_nothing_changes():
    frame = object()
    assert enlarge(frame, [], None) == (frame, [])


def test_what_was_written_is_told_in_pixels_of_the_input():
    nothing = np.zeros((1, 1), np.uint8)
    written = Blended((4, 9, 8, 12), (4, 8), nothing, nothing)
    assert in_input(written, 4).bounds == (1, 3, 2, 3)
    assert in_input(written, 1) is written
    assert in_input(None, 4) is None
