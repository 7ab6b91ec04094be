"""The networks that enlarge pictures: each is described in full."""

from __future__ import annotations

import pytest

from vidrestore.weights.entry import RemoteWeights
from vidrestore.weights.upscalers import UPSCALERS


@pytest.mark.parametrize("weights", UPSCALERS, ids=lambda weights: weights.name)
def test_an_upscaler_is_described_in_full(weights):
    assert isinstance(weights, RemoteWeights)
    assert weights.network is None
    assert weights.enlarger is not None
    assert weights.enlarger.factor in {2, 4}
    assert weights.enlarger.source
    assert weights.size is None or weights.size > 1_000_000
    assert len(weights.sha256) == 64
    assert weights.licence_url.startswith("https://")
    assert weights.url.endswith("/" + weights.filename)
    partner = weights.enlarger.partner
    assert partner is None or partner in {other.name for other in UPSCALERS} - {weights.name}
