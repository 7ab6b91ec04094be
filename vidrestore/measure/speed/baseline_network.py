"""The network as published: the same weights and results, without optimisations.

It does what the authors' code does: nearest-neighbour upsampling as a step of its own before the convolution,
attention as two matrix products and a softmax, and PyTorch's attention layer in the transformer.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...restoration.codeformer import CodeFormer
from ...restoration.codeformer.blocks import AttentionBlock, Upsample
from ...restoration.codeformer.transformer import TransformerLayer


class _BaselineUpsample(Upsample):
    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class _BaselineAttention(AttentionBlock):
    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (conv(h).flatten(2) for conv in (self.q, self.k, self.v))  # (N, C, H * W)
        scores = torch.bmm(q.transpose(1, 2), k) * x.shape[1] ** -0.5
        mixed = torch.bmm(v, scores.softmax(dim=2).transpose(1, 2))
        return x + self.proj_out(mixed.reshape(x.shape))


class _BaselineTransformerLayer(TransformerLayer):
    def _attend(self, x: Tensor, positions: Tensor) -> Tensor:
        return self.self_attn(x + positions, x + positions, x, need_weights=True)[0]


_BASELINE = {
    Upsample: _BaselineUpsample,
    AttentionBlock: _BaselineAttention,
    TransformerLayer: _BaselineTransformerLayer,
}


def to_baseline(network: CodeFormer) -> CodeFormer:
    """Change ``network`` in place into the published form, in float32, ready for inference; return it."""
    for module in network.modules():
        module.__class__ = _BASELINE.get(type(module), type(module))
    return network.float().eval().requires_grad_(False).to(memory_format=torch.contiguous_format)
