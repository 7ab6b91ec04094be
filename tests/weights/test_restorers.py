"""The restorers: each is described in full."""

from __future__ import annotations

import pytest

from vidrestore.weights.restorers import RESTORERS


@pytest.mark.parametrize("weights", RESTORERS, ids=lambda weights: weights.name)
def test_a_restorer_is_described_in_full(weights):
    network = weights.network
    assert network is not None
    assert network.backend in {"codeformer", "spandrel", "onnx"}
    assert network.input_size in {256, 512, 1024, 2048}
    assert network.source
    assert weights.licence_url.startswith("https://")
    assert ("non-commercial" in weights.licence) != weights.commercial
    is_onnx = network.backend == "onnx"
    assert is_onnx == weights.filename.endswith(".onnx")
    assert is_onnx == (network.output is not None)


def test_names_and_files_are_told_apart():
    for names in ([w.name for w in RESTORERS], [w.filename for w in RESTORERS]):
        assert len(set(names)) == len(names)
