"""CodeFormer against outputs recorded from the published network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.small_networks import AT_IMAGE, FACE, SMALL
from tests.support.stand_in import image, shapes, stand_in
from vidrestore.restoration.codeformer import CodeFormer
from vidrestore.restoration.codeformer.blocks import local_means

TOLERANCE = 1e-3  # absolute, fp32; outputs reach 18


@pytest.fixture(scope="module")
def published() -> CodeFormer:
    network = CodeFormer().eval()
    network.load_state_dict({key: stand_in(key, shape) for key, shape in shapes().items()}, strict=True)
    return network.requires_grad_(False)


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).parents[2] / "data" / "codeformer_outputs.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def encoding(published):
    return published.encode(image())


def test_the_default_configuration_has_the_published_keys_and_shapes():
    with torch.device("meta"):
        state = CodeFormer().state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == shapes()
    assert len(state) == 515


def test_a_network_may_do_without_the_statistics_of_its_input():
    torch.manual_seed(0)
    faces = torch.rand(1, 3, 64, 64) * 2 - 1
    network = CodeFormer(replace(FACE, adain=False)).eval()
    with torch.no_grad():
        assert torch.equal(network(faces, 0.0, adain=True), network(faces, 0.0, adain=False))
        other = CodeFormer(FACE).eval()
        other.load_state_dict(network.state_dict())
        assert torch.equal(network(faces, 0.0), other(faces, 0.0, adain=False))
        assert not torch.equal(network(faces, 0.0), other(faces, 0.0))


def test_local_means_pass_beside_the_codes():
    """Light that falls on a part of a face changes no code, and the result as it does the input."""
    torch.manual_seed(0)
    network = CodeFormer(replace(FACE, adain=False)).eval()
    dark = torch.rand(1, 3, 64, 64) * 0.2
    light = 0.3 * local_means(torch.rand(1, 3, 64, 64), 32)  # varies slowly
    with torch.no_grad():
        one, other = network.encode(dark), network.encode(dark + light)
        codes = network.predict(one.features).argmax(dim=-1)
        assert (other.features - one.features).abs().max() < 0.05 * one.features.std()
        change = network.decode(codes, other, 0.0) - network.decode(codes, one, 0.0)
        assert (change - light).abs().max() < 0.03
        # The published network's codes have to say it.
        plain = CodeFormer(replace(FACE, local_means=False)).eval()
        plain.load_state_dict(network.state_dict())
        one, other = plain.encode(dark), plain.encode(dark + light)
        assert (other.features - one.features).abs().max() > 0.2 * one.features.std()
        assert torch.equal(
            plain.reconstruct(one.features, dark), plain.reconstruct(one.features, dark + light)
        )


def test_features_logits_and_codes_match_the_published_network(published, encoding, recorded):
    logits = published.predict(encoding.features)
    np.testing.assert_allclose(encoding.features[:, ::8], recorded["lq_feat"], atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(logits[:, ::16, ::16], recorded["logits"], atol=TOLERANCE, rtol=0)
    np.testing.assert_array_equal(logits.argmax(-1), recorded["codes"])


@pytest.mark.parametrize("adain", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("w", [0, 0.5, 1])
def test_outputs_match_the_published_network(published, encoding, recorded, w, adain):
    codes = torch.from_numpy(recorded["codes"].astype(np.int64))
    output = published.decode(codes, encoding, w, adain)
    expected = recorded[f"w{w}_adain{int(adain)}"]
    np.testing.assert_allclose(output[..., ::8, ::8], expected, atol=TOLERANCE, rtol=0)


def test_faces_of_a_batch_with_mixed_w_are_independent(published, recorded):
    """With the statistics of the input's features, which the test above leaves out."""
    faces = torch.cat((image(), image(), image().flip(-1)))  # another face must not change the rest
    ws = [0, 1]
    output = published(faces, torch.tensor([*ws, 0.5]), adain=True)
    for face, w in zip(output, ws, strict=False):
        np.testing.assert_allclose(face[:, ::8, ::8], recorded[f"w{w}_adain1"][0], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("config", [SMALL, AT_IMAGE, FACE], ids=["CFT at levels", "CFT at the image", "face"])
def test_small_configurations_run(config):
    network = CodeFormer(config).eval()
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    assert network(faces, w=0.3).shape == faces.shape


@pytest.mark.parametrize(
    ("faces", "w", "message"),
    [
        (torch.zeros(1, 3, 32, 32), 0.5, r"faces have shape \(1, 3, 32, 32\); give \(N, 3, 64, 64\)"),
        (torch.zeros(3, 64, 64), 0.5, r"faces have shape \(3, 64, 64\)"),
        (torch.zeros(2, 3, 64, 64), torch.zeros(3), r"w has shape \(3,\); give one number, or one per face"),
    ],
    ids=["another size", "no batch", "too many w"],
)
def test_wrong_shapes_are_named(faces, w, message):
    with pytest.raises(ValueError, match=message):
        CodeFormer(SMALL)(faces, w)
