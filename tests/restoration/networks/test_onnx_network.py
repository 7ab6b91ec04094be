"""Restorers in ONNX files: value ranges, weights, sizes, precisions, and agreement with PyTorch."""

from __future__ import annotations

import logging
from copy import deepcopy

import pytest
import torch

from tests.support.onnx_files import save_restorer
from tests.support.small_networks import AT_IMAGE, SMALL
from vidrestore.errors import WeightsError
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerRestorer
from vidrestore.restoration.codeformer.frozen import freeze
from vidrestore.restoration.networks.onnx_network import OnnxRestorer
from vidrestore.weights.entry import Network

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")
CPU = torch.device("cpu")


def faces(side: int, count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(3))


def restorer(path, **options) -> OnnxRestorer:
    return OnnxRestorer(
        path, **({"name": "it", "licence": "", "readable": (0.1, 0.2), "device": CPU} | options)
    )


@pytest.mark.parametrize(
    ("side", "precision", "weight"),
    [
        *((side, "fp32", None) for side in (256, 512, 1024, 2048)),
        *((side, "fp16", "w: double") for side in (256, 512, 1024)),
    ],
)
def test_faces_of_the_size_that_the_file_takes(tmp_path, side, precision, weight):
    """Values are in [-1, 1]: the file's network halves and inverts them, and adds the weight."""
    network = restorer(save_restorer(tmp_path / "n.onnx", side=side, precision=precision, weight=weight))
    given, added = faces(side, 1), 0.25 if weight else 0.0
    assert (network.spec.input_size, network.spec.has_weight) == (side, bool(weight))
    expected = ((-0.5 * (2 * given - 1) + added) / 2 + 0.5).clamp(0, 1)
    limit = 1e-6 if precision == "fp32" else 2e-3
    assert torch.allclose(network(given, torch.tensor([added])), expected, atol=limit)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("weight", ["w: double", "fidelity_ratio: fp32", "weight: fp16"])
def test_a_weight_of_any_type(tmp_path, precision, weight):
    network = restorer(save_restorer(tmp_path / "n.onnx", precision=precision, weight=weight))
    assert network.spec.has_weight
    assert network.spec.precisions == (precision,)
    given, w = faces(64), torch.tensor([0.25, 0.75])
    expected = (-0.5 * (2 * given - 1) + w[:, None, None, None]) / 2 + 0.5
    assert torch.allclose(network(given, w), expected.clamp(0, 1), atol=1e-6 if precision == "fp32" else 2e-3)


def test_faces_are_the_same_in_any_batch(tmp_path):
    network = restorer(save_restorer(tmp_path / "n.onnx", weight="w: double"))
    given, w = faces(64, 3), torch.tensor([0.1, 0.5, 0.9])
    alone = torch.cat([network(face, own) for face, own in zip(given.split(1), w.split(1), strict=True)])
    assert torch.equal(network(given, w), alone)


def test_a_network_that_gives_faces_of_twice_the_size_is_given_reduced_ones(tmp_path):
    network = restorer(save_restorer(tmp_path / "n.onnx", side=512, factor=2))
    assert network.spec.input_size == 1024
    given = torch.full((1, 3, 1024, 1024), 0.75)
    assert torch.allclose(network(given, torch.zeros(1)), torch.full_like(given, 0.375), atol=1e-6)


def test_the_output_that_is_known_to_be_the_face_is_taken(tmp_path):
    given = faces(64, 1)
    halved = (-0.5 * (2 * given - 1)) / 2 + 0.5
    path = save_restorer(tmp_path / "n.onnx", names=("x_lq", "main_dec"), extra=True)
    assert torch.allclose(restorer(path)(given, torch.zeros(1)), halved, atol=1e-6)
    known = Network(backend="onnx", input_size=64, output="texture", source="", value_range=(0.0, 1.0))
    assert torch.allclose(restorer(path, network=known)(given, torch.zeros(1)), given, atol=1e-6)


def test_a_file_that_is_no_network_is_refused(tmp_path):
    path = tmp_path / "n.onnx"
    path.write_bytes(b"\x08\x08 and no more")
    with pytest.raises(WeightsError, match="damaged, or not an ONNX file that ONNX Runtime"):
        restorer(path)
    half = save_restorer(tmp_path / "half.onnx").read_bytes()[:-40]
    path.write_bytes(half)
    with pytest.raises(WeightsError, match="cannot read weights"):
        restorer(path)


def test_without_its_device_it_runs_on_the_cpu_and_says_so(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        restorer(save_restorer(tmp_path / "n.onnx"), device=torch.device("meta"))
    assert "runs on the CPU: ONNX Runtime has no META here" in caplog.text


@pytest.mark.filterwarnings("ignore")  # of the exporter, which PyTorch replaces by one that needs onnxscript
@pytest.mark.parametrize("config", [SMALL, AT_IMAGE], ids=["as published", "as the embedded model"])
def test_codeformer_exported_to_onnx_equals_pytorch(tmp_path, config):
    """Of small configurations, to 1e-3: the graph with both inputs, at several fidelity weights."""

    class Exported(torch.nn.Module):
        def __init__(self, network: CodeFormer) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
            encoding = self.network.encode(x)
            codes = self.network.predict(encoding.features).argmax(dim=-1)
            return self.network.decode(codes, encoding, w)

    torch.manual_seed(0)
    network = CodeFormer(config)
    own = CodeFormerRestorer(deepcopy(network), name="own", licence="")
    path = tmp_path / "codeformer.onnx"
    example = (torch.rand(1, 3, 64, 64), torch.tensor([0.5]))
    torch.onnx.export(
        Exported(freeze(network, CPU, torch.float32)),
        example,
        str(path),
        input_names=["x", "w"],
        output_names=["y"],
        opset_version=17,
        dynamo=False,
    )
    exported = restorer(path)
    assert exported.spec.has_weight
    given, w = faces(64, 3), torch.tensor([0.0, 0.5, 1.0])
    assert (exported(given, w) - own(given, w)).abs().max() < 1e-3
