"""dlib's recognition network in torch gives dlib's own numbers, and has a gradient."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.portraits import aligned_portraits
from vidrestore.errors import InputError
from vidrestore.faces.identity.embedding import CHIP, find_network
from vidrestore.faces.identity.recognition import RecognitionNetwork

dlib = pytest.importorskip("dlib")


@pytest.fixture(scope="module")
def network() -> RecognitionNetwork:
    return RecognitionNetwork(find_network())


@pytest.mark.parametrize("name", aligned_portraits())
def test_it_is_the_network_of_dlib(network: RecognitionNetwork, name: str) -> None:
    chip = np.ascontiguousarray(aligned_portraits()[name][150 : 150 + CHIP, 180 : 180 + CHIP])
    expected = dlib.face_recognition_model_v1(str(find_network())).compute_face_descriptor(chip)
    found = network(torch.from_numpy(chip).permute(2, 0, 1)[None] / 127.5 - 1)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_faces_get_a_gradient_and_weights_none(network: RecognitionNetwork) -> None:
    faces = torch.rand(1, 3, CHIP, CHIP, requires_grad=True)
    network(faces).square().sum().backward()
    assert faces.grad is not None
    assert faces.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("kept", [slice(0), slice(-200_000), slice(20_000, None)])
def test_another_file_is_refused(kept: slice, tmp_path: Path) -> None:
    path = tmp_path / "network.dat"
    path.write_bytes(find_network().read_bytes()[kept])
    with pytest.raises(InputError, match=r"network\.dat is not dlib's face recognition network"):
        RecognitionNetwork(path)
