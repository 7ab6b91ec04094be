"""Operations are counted right, the plain form is the same network, and figures agree with each other."""

from __future__ import annotations

import pytest
import torch

from vidrestore.measure.speed import network as speed
from vidrestore.measure.speed.baseline_network import plain
from vidrestore.measure.speed.models import find_model
from vidrestore.measure.speed.network import count_gflop, matmul_peak, measure_network
from vidrestore.restore.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.restore.load import load_restorer

SMALL = CodeFormerConfig(
    image_size=64,
    channels=32,
    multipliers=(1, 2, 2),
    codebook_size=16,
    code_channels=32,
    transformer_width=32,
    transformer_heads=2,
    transformer_layers=2,
    transformer_mlp=32,
    cft_sizes=(32,),
)


@pytest.mark.parametrize("w", [0.0, 0.5, 1.0])
def test_the_plain_form_gives_the_same_faces(w):
    torch.manual_seed(0)
    network = CodeFormer(SMALL).eval()
    for transform in network.fuse_convs_dict.values():  # zero at first
        torch.nn.init.normal_(transform.scale[-1].weight, std=0.1)
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        expected = network(faces, w)
        torch.testing.assert_close(plain(network)(faces, w), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("w", "published"), [(0.0, 592), (1.0, 810)])
def test_the_published_network_takes_what_its_layers_add_up_to(w, published):
    """Counted by hand from its layers: 592 and 810 GFLOP for a face."""
    config = CodeFormerConfig()
    assert count_gflop(config, w, published=True) == pytest.approx(published, rel=0.005)
    assert count_gflop(config, w) < count_gflop(config, w, published=True)


def test_a_network_is_measured(tmp_path):
    model = find_model("lite", tmp_path)
    device = torch.device("cpu")
    restorer = load_restorer("lite", weights=model.weights, device=device, precision="fp32")
    config = model.network().config
    common = {"device": device, "precision": "fp32", "w": 0.5, "peak": 2.0, "seconds": 0.0}
    found = measure_network(restorer, config, batch=2, **common)
    assert (found.model, found.batch, found.device) == ("lite", 2, "cpu")
    assert found.tflops == pytest.approx(found.faces_per_second * found.gflop / 1e3)
    assert found.share == pytest.approx(found.tflops / 2.0)
    assert 1 < found.gflop <= found.published_gflop


def test_the_fastest_run_counts_and_the_first_does_not(monkeypatch):
    times = iter([9.0, 3.0, 2.0, 4.0])
    monkeypatch.setattr(speed, "_finish", lambda work, device: next(times))
    assert speed.fastest(lambda: None, torch.device("cpu"), 0.0, least=3) == 2.0


def test_the_peak_is_above_what_a_small_product_reaches():
    assert 0.001 < matmul_peak(torch.device("cpu"), "fp32", seconds=0.0) < 1000


@pytest.mark.slow
def test_stand_in_weights_are_of_the_published_shape(tmp_path):
    model = find_model("codeformer", tmp_path)
    assert str(model) == "codeformer (stand-in weights)"
    network = model.network().eval()
    assert network.config == CodeFormerConfig()
    with torch.no_grad():
        assert network(torch.rand(1, 3, 512, 512) * 2 - 1, 1.0).isfinite().all()
    assert find_model("codeformer", tmp_path) == model  # written once
