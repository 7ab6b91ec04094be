"""The interface, and what keeps it."""

from __future__ import annotations

import pytest

from tests.support import upscalers
from vidrestore.upscale.lanczos import Lanczos
from vidrestore.upscale.learned import Learned
from vidrestore.upscale.upscaler import Upscaler


@pytest.mark.parametrize(
    "make", [lambda: Lanczos(3), lambda: Learned(3, "own", upscalers.enlarging(upscalers.compact()))]
)
def test_upscalers_have_a_factor_and_a_name(make):
    upscaler: Upscaler = make()
    assert upscaler.factor == 3
    assert upscaler.name
    assert callable(upscaler)
    assert callable(upscaler.enlarge_face)
