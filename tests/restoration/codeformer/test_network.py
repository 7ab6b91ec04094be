"""CodeFormer against numbers recorded from the published network, and its own promises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from tests.support.small_networks import AT_IMAGE, SMALL
from tests.support.stand_in import image, shapes, stand_in
from vidrestore.errors import WeightsError
from vidrestore.restoration.codeformer import (
    CodeFormer,
    CodeFormerConfig,
    CodeFormerRestorer,
    build_codeformer,
)

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


@pytest.mark.parametrize("config", [SMALL, AT_IMAGE], ids=["CFT at levels", "CFT at the image"])
def test_small_configurations_are_the_same_class(config):
    network = CodeFormer(config).eval()
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    assert network(faces, w=0.3).shape == faces.shape
    assert CodeFormerConfig.from_dict(config.to_dict()) == config


def test_image_cft_starts_near_the_input():
    torch.manual_seed(0)
    faces = torch.rand(1, 3, 64, 64) * 2 - 1
    assert (CodeFormer(AT_IMAGE).eval()(faces, w=1) - faces).abs().mean() < 0.05


def test_image_cft_is_linear_in_w_and_hears_the_codes():
    torch.manual_seed(0)
    network = CodeFormer(AT_IMAGE).eval()
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    encoding = network.encode(faces)
    codes = torch.arange(2 * 64).view(2, -1) % 32
    zero, half, one = (network.decode(codes, encoding, w) for w in (0.0, 0.5, 1.0))
    assert (zero - one).abs().max() > 1e-3
    torch.testing.assert_close(half, (zero + one) / 2, atol=1e-5, rtol=0)
    mixed = network.decode(codes, encoding, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(mixed, torch.stack([zero[0], one[1]]))
    assert (network.decode(codes.flip(1), encoding, 1.0) - one).abs().max() > 1e-3


def test_the_correction_is_enlarged_bilinearly():
    torch.manual_seed(0)
    transform = CodeFormer(replace(AT_IMAGE, image_size=128, patch=4)).image_transform
    faces = torch.rand(2, 3, 128, 128)
    correction, detail = torch.randn(2, 2, 3, 64, 64)
    found = transform.change(faces, correction, detail, torch.tensor([0.25, 1.0]).view(2, 1, 1, 1))
    change = torch.stack((correction[0] + 0.75 * detail[0], correction[1]))
    expected = faces + interpolate(change, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(found, expected)


def test_a_part_of_a_face_is_corrected_as_in_the_whole():
    """But for what lies beyond its edges: parts are what the correction learns from."""
    torch.manual_seed(0)
    network = CodeFormer(replace(AT_IMAGE, image_size=128, patch=4)).eval()
    faces = torch.rand(1, 3, 128, 128) * 2 - 1
    encoding = network.encode(faces)
    told = network.inform(network.look_up(torch.arange(64).view(1, -1) % 32, encoding))
    whole = network.image_transform(faces, told, torch.zeros(1, 1, 1, 1))
    part = network.image_transform(faces[..., 32:, 32:], told[..., 4:, 4:], torch.zeros(1, 1, 1, 1))
    torch.testing.assert_close(part[..., 48:, 48:], whole[..., 80:, 80:], atol=1e-5, rtol=0)


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
    [
        ({"image_size": 30}, "multiple"),
        ({"cft_sizes": (8,)}, "not among the levels"),
        ({"image_widths": (8, 12)}, "either cft_sizes or image_widths"),
        ({"cft_sizes": (), "image_widths": (8, 12)}, "three or more levels"),
        ({"multipliers": (1, 2, 2), "cft_sizes": (), "image_widths": (8, 11, 16)}, "even"),
    ],
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
