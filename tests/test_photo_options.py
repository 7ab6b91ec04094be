"""The options of photos and of enlarging."""

from __future__ import annotations

import pytest

from vidrestore.errors import UsageError
from vidrestore.options import Options


def test_by_default_nothing_is_enlarged():
    options = Options(input="a.jpg")
    assert (options.upscale, options.face, options.aligned) == (1, (), False)


@pytest.mark.parametrize("given", [{"upscale": 5}, {"upscale": 0}, {"upscale": 1.5}, {"face": [0]}])
def test_values_out_of_range_are_refused(given):
    with pytest.raises(UsageError, match=r"between 1 and 4|at least 1|whole number"):
        Options(input="a.jpg", **given)


def test_several_faces():
    assert Options(input="a.jpg", face=[1, "3"]).face == (1, 3)
