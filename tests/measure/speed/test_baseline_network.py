"""The network as published gives the same results as this package's."""

from __future__ import annotations

import pytest
import torch

from vidrestore.measure.speed.baseline_network import to_baseline
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig

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
def test_the_published_form_gives_the_same_faces(w):
    torch.manual_seed(0)
    network = CodeFormer(SMALL).eval()
    for transform in network.fuse_convs_dict.values():  # initially zero
        torch.nn.init.normal_(transform.scale[-1].weight, std=0.1)
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        expected = network(faces, w)
        torch.testing.assert_close(to_baseline(network)(faces, w), expected, atol=1e-4, rtol=1e-4)
