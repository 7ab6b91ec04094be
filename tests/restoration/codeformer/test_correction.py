"""The correction of the input that replaces the generator's face as ``w`` approaches 1."""

from __future__ import annotations

import torch

from tests.support.small_networks import FACE
from vidrestore.restoration.codeformer import CodeFormer


def test_w_moves_from_the_codes_to_the_corrected_input():
    torch.manual_seed(0)
    network = CodeFormer(FACE).eval()
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    encoding = network.encode(faces)
    codes = torch.arange(2 * 64).view(2, -1) % 32
    alone = network.reconstruct(network.look_up(codes, encoding), encoding.image)
    weights = torch.tensor([0.0, 1.0])
    for w in (0.0, torch.zeros(2), weights):
        torch.testing.assert_close(network.decode(codes, encoding, w)[0], alone[0], rtol=0, atol=1e-6)
    one = network.decode(codes, encoding, weights)[1]
    assert 0 < (one - faces[1]).abs().mean() < 0.05  # training starts close to the input
    # The CFT is untrained and adds nothing, so between them the face is their mean by w.
    quarter = network.decode(codes, encoding, 0.25)
    torch.testing.assert_close(quarter[1], alone[1].lerp(one, 0.25), rtol=0, atol=1e-5)


def test_the_correction_depends_on_the_codes():
    torch.manual_seed(0)
    correction = CodeFormer(FACE).correction
    assert correction is not None
    faces, decoded = torch.rand(1, 3, 64, 64), torch.randn(1, 32, 16, 16)
    found = correction(faces, decoded)
    assert found.shape == faces.shape
    assert (correction(faces, decoded.flip(2)) - found).abs().max() > 1e-5
