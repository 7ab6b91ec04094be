"""The room that a run needs on the disk is estimated from its frames and its encoder."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.segments import make_clip
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.encode.settings import EncoderConfig
from vidrestore.media.output.disk_space import space_needed
from vidrestore.media.source_video import SourceVideo
from vidrestore.media.timeline import Span, Timeline

FFV1, X265 = EncoderConfig("ffv1", "yuv420p"), EncoderConfig("libx265", "yuv420p")


@pytest.fixture
def source(tmp_path: Path) -> SourceVideo:
    """100 s of 1000x1000 at 25 frames per second."""
    with Decoder(make_clip(tmp_path / "in.mp4")) as decoder:
        found = decoder.source
    return replace(found, width=1000, height=1000, duration=Fraction(100), frames=None, rate=Fraction(25))


def test_segments_and_out_take_room_together(source: SourceVideo) -> None:
    samples = 1.5 * 1000 * 1000 * 25 * 100
    assert space_needed(source, FFV1) == pytest.approx(2 * 0.4 * samples)
    assert space_needed(source, EncoderConfig("prores_ks", "yuv422p10le")) == pytest.approx(
        2 * 0.2 * 2 / 1.5 * samples * 10 / 8
    )
    assert space_needed(source, X265) == pytest.approx(2 * 0.1 / 8 * samples / 1.5)


def test_a_last_frame_that_lasts_for_hours_takes_no_room(source: SourceVideo) -> None:
    hours = replace(source, duration=Fraction(10**6), frames=2500)
    assert space_needed(hours, FFV1) == space_needed(source, FFV1)


def test_a_part_takes_its_share(source: SourceVideo) -> None:
    for span in (Span(Fraction(50)), Span(Fraction(20), Fraction(70))):
        part = replace(source, timeline=Timeline(Fraction(0), span))
        assert space_needed(part, FFV1) == pytest.approx(space_needed(source, FFV1) / 2)


def test_the_inputs_own_codec_takes_at_least_the_inputs_size(source: SourceVideo, tmp_path: Path) -> None:
    large = tmp_path / "large.mp4"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    assert space_needed(replace(source, path=large), EncoderConfig("libx264", "yuv420p")) == 2 << 40
    assert space_needed(replace(source, path=large), X265) < 1 << 30


def test_an_unknown_duration_needs_nothing(source: SourceVideo) -> None:
    assert space_needed(replace(source, duration=None), FFV1) == 0
