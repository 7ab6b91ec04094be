"""With recorded faces, a part of a video is restored exactly as it is within the whole."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from vidrestore.analysis import analyze_video
from vidrestore.media.decode.decoder import Decoder
from vidrestore.media.timeline import Span
from vidrestore.options import Options
from vidrestore.pipeline import restore_video

SAMPLE = Path(__file__).parents[1] / "samples" / "portrait.mp4"
END = Fraction(5, 4)


def planes(path: Path) -> list[list[np.ndarray]]:
    with Decoder(path) as decoder:
        return [[plane.astype(int) for plane in frame.image().planes] for frame in decoder]


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parts") / "tracks.json"
    analyze_video(Options(input=SAMPLE, output=path, duration=END))
    return path


def restored(tracks: Path, out: Path, **span: Fraction) -> list[list[np.ndarray]]:
    given = {"model": "lite", "precision": "fp32", "codec": "ffv1", "w": "auto", "tracks": tracks} | span
    restore_video(Options(input=SAMPLE, output=out, **given))
    return planes(out)


def test_parts_are_restored_as_within_the_whole(tracks: Path, tmp_path: Path) -> None:
    whole = restored(tracks, tmp_path / "whole.mkv", duration=END)
    cuts = [Fraction(0), Fraction(1, 2), END]
    found = []
    for number, (start, end) in enumerate(pairwise(cuts)):
        found += restored(tracks, tmp_path / f"{number}.mkv", start=start, end=end)
    assert len(found) == len(whole)
    original = planes(SAMPLE)
    assert any((a[0] != b[0]).any() for a, b in zip(whole, original, strict=False))
    for part, all_of_it in zip(found, whole, strict=True):
        assert max(np.abs(a - b).max() for a, b in zip(part, all_of_it, strict=True)) <= 1


@pytest.mark.parametrize(("context", "before", "after"), [(0, 0, 0), (5, 5, 5), (500, 24, None)])
def test_context_surrounds_the_part(context: int, before: int, after: int | None) -> None:
    with Decoder(SAMPLE) as decoder:
        every = [frame.time for frame in decoder]
    start, end = every[24] - every[0], every[36] - every[0]
    with Decoder(SAMPLE, Span(start, end), context=context) as decoder:
        frames = [(frame.index, frame.time, frame.context) for frame in decoder]
    last = len(every) if after is None else 36 + after
    assert [time for _, time, _ in frames] == every[24 - before : last]
    assert [index for index, _, _ in frames] == list(range(-before, last - 24))
    assert [time for _, time, extra in frames if not extra] == every[24:36]
