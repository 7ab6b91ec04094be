"""Models to measure: with their weights, or with random ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vidrestore.errors import UsageError
from vidrestore.measure.speed.models import find_model
from vidrestore.restoration.codeformer import CodeFormerConfig


@pytest.mark.parametrize("name", ["lite", "face"])
def test_an_embedded_model_has_its_own_weights(name: str, tmp_path: Path) -> None:
    model = find_model(name, tmp_path)
    assert (str(model), model.weights) == (name, None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_random_weights_have_the_published_shapes(tmp_path: Path) -> None:
    model = find_model("codeformer", tmp_path)
    assert str(model) == "codeformer (random weights)"
    network = model.network().eval()
    assert network.config == CodeFormerConfig()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 512, 512) * 2 - 1, 1.0).isfinite().all()
    assert find_model("codeformer", tmp_path) == model  # the file is reused


def test_another_model_is_not_measured_with_the_weights_of_this_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the speed of gfpgan-1\.4 is not measured here"):
        find_model("gfpgan-1.4", tmp_path)
    assert list(tmp_path.iterdir()) == []
