"""Speed of a network: operations are counted correctly, and the figures are consistent."""

from __future__ import annotations

import pytest
import torch

from vidrestore.measure.speed import network as speed
from vidrestore.measure.speed.models import find_model
from vidrestore.measure.speed.network import count_gflop, matmul_peak, measure_network
from vidrestore.restoration.codeformer import CodeFormerConfig
from vidrestore.restoration.load import load_restorer


@pytest.mark.parametrize(("w", "published"), [(0.0, 592), (1.0, 810)])
def test_the_operations_of_the_published_network(w, published):
    """592 and 810 GFLOP per face, computed by hand from the layers."""
    config = CodeFormerConfig()
    assert count_gflop(config, w, published=True) == pytest.approx(published, rel=0.005)
    assert count_gflop(config, w) < count_gflop(config, w, published=True)


def test_a_network_is_measured(tmp_path):
    model = find_model("lite", tmp_path)
    device = torch.device("cpu")
    restorer = load_restorer(model.weights or "lite", device=device, precision="fp32")
    config = model.network().config
    common = {"device": device, "precision": "fp32", "w": 0.5, "peak": 2.0, "seconds": 0.0}
    found = measure_network(restorer, config, batch=2, **common)
    assert (found.model, found.batch, found.device) == ("lite", 2, "cpu")
    assert found.tflops == pytest.approx(found.faces_per_second * found.gflop / 1e3)
    assert found.share == pytest.approx(found.tflops / 2.0)
    assert 1 < found.gflop <= found.published_gflop


def test_the_fastest_run_counts_except_the_first(monkeypatch):
    times = iter([9.0, 3.0, 2.0, 4.0])
    monkeypatch.setattr(speed, "_finish", lambda work, device: next(times))
    assert speed.fastest(lambda: None, torch.device("cpu"), 0.0, min_runs=3) == 2.0


def test_the_peak_is_plausible():
    assert 0.001 < matmul_peak(torch.device("cpu"), "fp32", seconds=0.0) < 1000
