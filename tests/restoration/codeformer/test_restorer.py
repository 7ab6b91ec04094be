"""Precision, batch size and skipped work do not change restored faces beyond rounding."""

from __future__ import annotations

from functools import partial
from types import MethodType

import pytest
import torch
from torch import Tensor

from tests.support.degraded_faces import psnr, real_faces
from tests.support.small_networks import AT_IMAGE, FACE, SMALL
from tests.support.small_training import needs_weights
from vidrestore.errors import WeightsError
from vidrestore.measure.perceptual import PerceptualDistance
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerRestorer, build_codeformer
from vidrestore.restoration.load import load_restorer
from vidrestore.runtime.batching import run_batched
from vidrestore.runtime.cuda_graphs import AcceleratedStep
from vidrestore.runtime.device import prepare_device

CPU = torch.device("cpu")


def codes(restorer: CodeFormerRestorer, faces: Tensor) -> Tensor:
    return torch.stack([seen.log_probs.argmax(dim=-1) for seen in restorer.observe(faces)])


@pytest.mark.parametrize(
    ("device", "precision"),
    [("cpu", "bf16"), *(pytest.param("cuda", p, marks=pytest.mark.gpu) for p in ("fp32", "bf16", "fp16"))],
)
def test_lite_is_the_same_in_lower_precision(device, precision, tmp_path):
    faces, w = real_faces(), torch.tensor([0.0, 0.25, 0.5, 1.0] * 2)
    prepare_device(torch.device(device), precision, compile_cache=tmp_path)
    exact = load_restorer("lite", device=CPU, precision="fp32")
    lower = load_restorer("lite", device=torch.device(device), precision=precision)
    share = (codes(lower, faces).cpu() == codes(exact, faces)).float().mean()
    found = psnr(lower(faces, w), exact(faces, w))
    print(f"{share:.4f} of the codes, {found:.1f} dB")
    assert share >= 0.99
    assert found >= 45


@needs_weights
def test_lite_brings_worn_faces_closer_to_the_clean_ones():
    """Its card (docs/lite.md) has the figures of all test faces; these are two others, worn moderately."""
    clean, worn = real_faces()[[0, 4]], real_faces()[[2, 6]]
    restored = load_restorer("lite", device=CPU, precision="fp32")(worn, torch.full((2,), 0.5))
    measure = PerceptualDistance("alex")
    with torch.no_grad():
        before, after = (measure(x * 2 - 1, clean * 2 - 1) for x in (worn, restored))
    assert (after < 0.8 * before).all()
    for x, y, target in zip(restored, worn, clean, strict=True):
        assert psnr(x, target) > psnr(y, target) + 0.8


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_results_do_not_depend_on_the_batch(precision):
    faces, w = real_faces()[2:5], torch.tensor([0.0, 0.25, 1.0])
    restorer = load_restorer("lite", device=CPU, precision=precision)
    together = restorer(faces, w)
    for size in (1, 2):
        parts = zip(faces.split(size), w.split(size), strict=True)
        apart = torch.cat([restorer(face, its_w) for face, its_w in parts])
        assert (apart - together).abs().max() < 1 / 255


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(SMALL, id="CFT at levels", marks=pytest.mark.slow),
        pytest.param(AT_IMAGE, id="CFT at the image"),
        pytest.param(FACE, id="face"),
    ],
)
def test_a_batch_of_faces_with_and_without_w(config):
    torch.manual_seed(0)
    network = CodeFormer(config).eval()
    with torch.no_grad():
        for fuse in network.fuse_convs_dict.values():
            fuse.scale[2].weight.normal_(std=0.05)
    faces, w = torch.rand(4, 3, 64, 64), torch.tensor([0.0, 0.7, 0.0, 0.2])
    with torch.no_grad():
        expected = ((network(faces * 2 - 1, w) + 1) / 2).clamp(0, 1)
    restorer = CodeFormerRestorer(network, name="small", licence="none")
    assert len({float(face.std()) for face in expected}) == 4
    torch.testing.assert_close(restorer(faces, w), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(SMALL, id="CFT at levels"),
        pytest.param(AT_IMAGE, id="CFT at the image"),
        pytest.param(FACE, id="face", marks=pytest.mark.slow),
    ],
)
def test_steps_compile_in_one_piece(config, caplog):
    """No step waits for a number from the device; recording a CUDA graph requires that too."""
    torch.manual_seed(0)
    restorer = CodeFormerRestorer(CodeFormer(config), name="small", licence="none", precision="bf16")
    faces, w = torch.rand(4, 3, 64, 64), torch.tensor([0.0, 0.7, 0.1, 0.2])
    expected = restorer(faces, w)
    compiler = partial(torch.compile, backend="aot_eager", fullgraph=True)
    steps = ("_encode", "_decode", "_decode_codes")
    accelerated = {}
    for name in steps:
        step = MethodType(getattr(CodeFormerRestorer, name), restorer)  # as it is on a GPU
        accelerated[name] = AcceleratedStep(step, recorder=None, compiler=compiler, compile_after=0)
        setattr(restorer, f"_run{name}", run_batched(accelerated[name]))
    torch.testing.assert_close(restorer(faces, w), expected, atol=0.02, rtol=0)
    assert "continuing without" not in caplog.text
    used = [name for name in steps if accelerated[name]._rows]
    assert used == (["_encode", "_decode"] if config is AT_IMAGE else list(steps))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_results_have_the_type_and_range_of_the_contract_and_the_input_is_unchanged(precision):
    restorer = CodeFormerRestorer(CodeFormer(SMALL), name="small", licence="none", precision=precision)
    faces = torch.rand(3, 3, 64, 64)
    given = faces.clone()
    restored = restorer(faces, torch.tensor([0.0, 0.5, 1.0]))
    assert restored.dtype == torch.float32
    assert restored.shape == faces.shape
    assert 0 <= restored.min() <= restored.max() <= 1
    assert torch.equal(faces, given)
    assert restorer.spec.input_size == 64


def test_weights_of_another_network_are_an_error():
    with pytest.raises(WeightsError, match="does not hold the weights of a CodeFormer"):
        build_codeformer({"conv.weight": torch.zeros(1)}, {}, "other.pth")
