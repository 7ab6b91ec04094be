"""The network as it was published: the same weights and results, nothing done for speed.

What a program that runs the authors' code has: nearest-neighbour enlargement written out before its
convolution, attention by two matrix products and a softmax, PyTorch's own attention layer between them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...restore.codeformer import CodeFormer
from ...restore.codeformer.blocks import AttentionBlock, Upsample
from ...restore.codeformer.transformer import TransformerLayer


class _PlainUpsample(Upsample):
    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class _PlainAttention(AttentionBlock):
    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (conv(h).flatten(2) for conv in (self.q, self.k, self.v))  # (N, C, H * W)
        scores = torch.bmm(q.transpose(1, 2), k) * x.shape[1] ** -0.5
        mixed = torch.bmm(v, scores.softmax(dim=2).transpose(1, 2))
        return x + self.proj_out(mixed.reshape(x.shape))


class _PlainTransformerLayer(TransformerLayer):
    def _attend(self, x: Tensor, positions: Tensor) -> Tensor:
        return self.self_attn(x + positions, x + positions, x, need_weights=True)[0]


_PLAIN = {Upsample: _PlainUpsample, AttentionBlock: _PlainAttention, TransformerLayer: _PlainTransformerLayer}


def plain(network: CodeFormer) -> CodeFormer:
    """``network``, changed in place: ready for inference in float32, one face after another."""
    for module in network.modules():
        module.__class__ = _PLAIN.get(type(module), type(module))
    return network.float().eval().requires_grad_(False).to(memory_format=torch.contiguous_format)
