"""Which upscaler a run uses."""

from __future__ import annotations

from vidrestore.upscale.upscaler import find_upscaler


def test_one_enlarges_nothing():
    assert find_upscaler(1) is None
    upscaler = find_upscaler(3)
    assert upscaler is not None
    assert (upscaler.factor, upscaler.name) == (3, "Lanczos")
