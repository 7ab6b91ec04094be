"""CodeFormer against numbers recorded from the published network, and its own promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from vidrestore.errors import WeightsError
from vidrestore.restore.codeformer import (
    CodeFormer,
    CodeFormerConfig,
    CodeFormerRestorer,
    build_codeformer,
)

from .stand_in import image, shapes, stand_in

TOLERANCE = 1e-3  # absolute, fp32; outputs reach 18
SMALL = CodeFormerConfig(
    image_size=64,
    patch=2,
    channels=16,
    multipliers=(1, 2),
    residual_blocks=1,
    attention_sizes=(16,),
    norm_groups=8,
    codebook_size=32,
    code_channels=16,
    transformer_width=32,
    transformer_heads=2,
    transformer_layers=2,
    transformer_mlp=64,
    cft_sizes=(16, 32),
    image_cft=True,
)


@pytest.fixture(scope="module")
def published() -> CodeFormer:
    network = CodeFormer().eval()
    network.load_state_dict({key: stand_in(key, shape) for key, shape in shapes().items()}, strict=True)
    return network.requires_grad_(False)


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).parents[1] / "data" / "codeformer_outputs.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def encoding(published):
    return published.encode(image())


def test_the_default_shape_is_the_published_one():
    with torch.device("meta"):
        state = CodeFormer().state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == shapes()
    assert len(state) == 515


def test_features_logits_and_codes_are_the_published_ones(published, encoding, recorded):
    logits = published.predict(encoding.features)
    np.testing.assert_allclose(encoding.features[:, ::8], recorded["lq_feat"], atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(logits[:, ::16, ::16], recorded["logits"], atol=TOLERANCE, rtol=0)
    np.testing.assert_array_equal(logits.argmax(-1), recorded["codes"])


@pytest.mark.parametrize("adain", [False, True])
@pytest.mark.parametrize("w", [0, 0.5, 1])
def test_outputs_are_the_published_ones(published, encoding, recorded, w, adain):
    codes = torch.from_numpy(recorded["codes"].astype(np.int64))
    output = published.decode(codes, encoding, w, adain)
    expected = recorded[f"w{w}_adain{int(adain)}"]
    np.testing.assert_allclose(output[..., ::8, ::8], expected, atol=TOLERANCE, rtol=0)


def test_a_batch_with_mixed_w_is_its_faces_one_by_one(published, recorded):
    faces = image().repeat(4, 1, 1, 1)
    faces[3] = faces[3].flip(-1)  # another face must not change the rest
    weights = [0, 0.5, 1]
    output = published(faces, torch.tensor([*weights, 0.5]), adain=True)
    for face, w in zip(output, weights, strict=False):
        np.testing.assert_allclose(face[:, ::8, ::8], recorded[f"w{w}_adain1"][0], atol=TOLERANCE, rtol=0)


def test_small_configurations_are_the_same_class():
    network = CodeFormer(SMALL).eval()
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    assert network(faces, w=0.3).shape == faces.shape
    assert CodeFormerConfig.from_dict(SMALL.to_dict()) == SMALL


def test_image_cft_starts_from_the_input():
    faces = torch.rand(1, 3, 64, 64) * 2 - 1
    assert torch.allclose(CodeFormer(SMALL).eval()(faces, w=1), faces, atol=1e-5)


@pytest.mark.parametrize(
    ("faces", "w", "words"),
    [
        (torch.zeros(1, 3, 32, 32), 0.5, "must be"),
        (torch.zeros(3, 64, 64), 0.5, "must be"),
        (torch.zeros(2, 3, 64, 64), torch.zeros(3), "one per face"),
    ],
    ids=["another size", "no batch", "too many w"],
)
def test_wrong_shapes_are_named(faces, w, words):
    with pytest.raises(ValueError, match=words):
        CodeFormer(SMALL)(faces, w)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"image_size": 30}, "multiple"), ({"cft_sizes": (8,)}, "not among the levels")],
)
def test_impossible_sizes_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        CodeFormerConfig.from_dict(SMALL.to_dict() | change)


def test_weights_of_another_network_are_refused():
    with pytest.raises(WeightsError, match="does not hold the weights of a CodeFormer"):
        build_codeformer({"conv.weight": torch.zeros(1)}, {}, "other.pth")


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_restorer_keeps_range_type_and_input(precision):
    restorer = CodeFormerRestorer(CodeFormer(SMALL), name="small", licence="none", precision=precision)
    faces = torch.rand(3, 3, 64, 64)
    given = faces.clone()
    restored = restorer(faces, torch.tensor([0.0, 0.5, 1.0]))
    assert restored.dtype == torch.float32
    assert restored.shape == faces.shape
    assert 0 <= restored.min() <= restored.max() <= 1
    assert torch.equal(faces, given)
    assert restorer.spec.input_size == 64
