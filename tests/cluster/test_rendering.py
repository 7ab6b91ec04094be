"""What a worker makes of a portion; that the frames are the right ones is in test_restore.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cluster_films import LENGTH, make_film
from vidrestore.cluster.rendering import Count, Made, render
from vidrestore.errors import InputError
from vidrestore.faces.recorded.given_source import Given
from vidrestore.media.output.segments import is_sound
from vidrestore.options import Options
from vidrestore.stages.networks import Networks
from vidrestore.stages.portion import Portion
from vidrestore.stages.setup import Setup


def test_segments_are_complete_files_and_a_film_that_is_too_short_is_an_error(tmp_path):
    """Another machine sees an input that ends early: what it made until then is good."""
    options = Options(output=tmp_path / "out.mkv", **make_film(tmp_path, 9))
    portion = Portion(
        frames=range(12), length=LENGTH, marks={}, faces={number: Given((), 1) for number in range(12)}
    )

    def path_of(first: int) -> Path:
        return tmp_path / f"{first}-own.segment"

    made, counted = [], []

    def keep_all() -> None:
        for item in render(portion, options, Setup.resolve(options), Networks(), path_of=path_of):
            (made if isinstance(item, Made) else counted).append(item)

    with pytest.raises(InputError, match=r"in\.mp4 ends after 9 frames for this worker, 3 before"):
        keep_all()
    assert [(each.first, each.segment.frames, each.segment.path) for each in made] == [(0, 6, path_of(0))]
    assert counted == [Count(5, 0)]
    assert is_sound(path_of(0))
    assert sorted(path.name for path in tmp_path.glob("*own*")) == ["0-own.segment"]
