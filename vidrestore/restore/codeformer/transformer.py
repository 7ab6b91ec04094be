"""The transformer that predicts codes (Zhou et al., NeurIPS 2022, section 3.2)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class TransformerLayer(nn.Module):
    """Pre-norm self-attention and MLP. The positions are added to queries and keys of every layer,
    never to the values."""

    def __init__(self, width: int, heads: int, mlp: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1 = nn.Linear(width, mlp)
        self.linear2 = nn.Linear(mlp, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        """``x`` (N, L, C) tokens, ``positions`` (L, C) -> (N, L, C)."""
        h = self.norm1(x)
        q = h + positions
        x = x + self.self_attn(q, q, h, need_weights=False)[0]
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))
