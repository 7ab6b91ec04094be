"""GFPGAN and RestoreFormer by spandrel, with random weights of their own classes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from tests.support.other_networks import gfpgan, restoreformer
from vidrestore.errors import WeightsError
from vidrestore.restoration.networks.spandrel_network import SpandrelRestorer, build_network

pytest.importorskip("spandrel")
CPU = torch.device("cpu")
FACES = torch.rand(2, 3, 512, 512, generator=torch.Generator().manual_seed(2))


def wrapped(model: nn.Module, architecture: str, **options) -> SpandrelRestorer:
    """A network of any size, as spandrel would describe it."""
    network = SimpleNamespace(model=model, architecture=SimpleNamespace(id=architecture))
    values = {"name": "random", "licence": "", "readable": (0.1, 0.2), "device": CPU, "precision": "fp32"}
    return SpandrelRestorer(network, **(values | options))  # type: ignore[arg-type]


def test_restoreformer_is_built_from_its_weights_and_gets_values_from_minus_one_to_one():
    model = restoreformer()
    state = model.state_dict()
    restorer = SpandrelRestorer(
        build_network(state, "it"), name="it", licence="", readable=(0.1, 0.2), device=CPU, precision="fp32"
    )
    assert (restorer.spec.input_size, restorer.spec.has_codes, restorer.spec.has_weight) == (
        512,
        False,
        False,
    )
    with torch.inference_mode():
        expected = model.eval()(FACES[:1] * 2 - 1)[0] / 2 + 0.5
    assert torch.equal(restorer(FACES[:1], torch.zeros(1)), expected.clamp(0, 1))


def test_gfpgan_gets_values_from_minus_one_to_one_and_the_noise_of_its_file():
    model, faces = gfpgan(), FACES[..., ::8, ::8]
    restorer = wrapped(model, "GFPGAN")
    first, again = restorer(faces, torch.zeros(2)), restorer(faces, torch.zeros(2))
    with torch.inference_mode():
        expected = torch.cat([model(face * 2 - 1, randomize_noise=False)[0] for face in faces.split(1)])
        random = [model(faces[:1] * 2 - 1)[0] for _ in range(2)]
    assert torch.equal(first, again)
    assert torch.equal(first, (expected / 2 + 0.5).clamp(0, 1))
    assert not torch.equal(*random)  # so it matters


def test_a_precision_that_is_not_to_be_trusted_is_not_used():
    restorer = wrapped(restoreformer(), "RestoreFormer", precision="bf16")
    exact = wrapped(restoreformer(), "RestoreFormer")
    assert restorer.spec.precisions == ("fp32",)
    assert torch.equal(restorer(FACES[:1], torch.zeros(1)), exact(FACES[:1], torch.zeros(1)))
    small = FACES[..., ::8, ::8]
    lower, full = (wrapped(gfpgan(), "GFPGAN", precision=p)(small, torch.zeros(2)) for p in ("bf16", "fp32"))
    assert not torch.equal(lower, full)
    assert (lower - full).abs().mean() < 0.02


def test_an_architecture_that_spandrel_learns_later_is_called_as_spandrel_does():
    class Described(SimpleNamespace):
        def __call__(self, images):
            return 1 - images

    network = Described(model=nn.Identity(), architecture=SimpleNamespace(id="Later"))
    restorer = SpandrelRestorer(
        network,  # type: ignore[arg-type]
        name="later",
        licence="",
        readable=(0.1, 0.2),
        device=CPU,
        precision="fp32",
    )
    assert torch.equal(restorer(FACES, torch.zeros(2)), 1 - FACES)


def test_a_checkpoint_of_training_holds_other_networks_too():
    state = {f"vqvae.{key}": value for key, value in restoreformer().state_dict().items()}
    build_network(state | {"loss.logvar": torch.zeros(1)}, "RestoreFormer.ckpt")
    with pytest.raises(WeightsError, match=r"looks like RestoreFormer.*--model restoreformer\+\+"):
        build_network(state | {"vqvae.decoder.up.4.attn.0.norm1.weight": torch.zeros(1)}, "x.ckpt")


def test_other_networks_are_named():
    from spandrel.architectures.Compact import Compact

    compact = Compact(num_feat=8, num_conv=1)
    with pytest.raises(WeightsError, match=r"x\.pth is .*enlarges pictures 4 times; give a face restorer"):
        build_network(compact.state_dict(), "x.pth")
    with pytest.raises(WeightsError, match="no network that is known here"):
        build_network(nn.Linear(2, 2).state_dict(), "x.pth")


def test_the_random_numbers_of_the_caller_stay_the_same():
    state = restoreformer().state_dict()
    torch.manual_seed(5)
    build_network(state, "it")
    found = torch.rand(1)
    torch.manual_seed(5)
    assert found == torch.rand(1)


@pytest.mark.slow
def test_gfpgan_of_its_real_size(tmp_path):
    """86 million parameters, read from a file of 350 MB."""
    from spandrel.architectures.GFPGAN import GFPGAN

    from vidrestore.restoration.load import load_restorer

    path = tmp_path / "GFPGANv1.4.pth"
    model = GFPGAN().eval()
    torch.save({"params_ema": model.state_dict()}, path)
    restorer = load_restorer(path, device=CPU, precision="fp32")
    with torch.inference_mode():
        expected = model(FACES[:1] * 2 - 1, return_rgb=False, randomize_noise=False)[0] / 2 + 0.5
    assert torch.equal(restorer(FACES[:1], torch.zeros(1)), expected.clamp(0, 1))
