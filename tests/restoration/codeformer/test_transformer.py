"""A layer of the code predictor."""

from __future__ import annotations

import torch
from torch.nn.functional import gelu

from vidrestore.restoration.codeformer.transformer import TransformerLayer


def test_a_layer_is_attention_and_an_mlp():
    torch.manual_seed(0)
    layer, x, positions = TransformerLayer(32, 4, 64), torch.randn(2, 9, 32), torch.randn(9, 32)
    h = layer.norm1(x)
    attended, _ = layer.self_attn(h + positions, h + positions, h)
    expected = x + attended
    expected = expected + layer.linear2(gelu(layer.linear1(layer.norm2(expected))))
    torch.testing.assert_close(layer(x, positions), expected, atol=1e-5, rtol=1e-5)
