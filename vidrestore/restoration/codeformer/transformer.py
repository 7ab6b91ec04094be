"""The transformer that predicts codes (Zhou et al., NeurIPS 2022, section 3.2)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class TransformerLayer(nn.Module):
    """A layer of the code predictor (Zhou et al., 2022, section 3.2): pre-norm self-attention, then an MLP.

    As in DETR (Carion et al., ECCV 2020), position embeddings are added to the queries and keys of every
    layer, not to the values.
    """

    def __init__(self, width: int, heads: int, mlp: int) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1 = nn.Linear(width, mlp)
        self.linear2 = nn.Linear(mlp, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, positions: Tensor) -> Tensor:
        """Tokens ``x`` (N, L, C), position embeddings ``positions`` (L, C) -> (N, L, C)."""
        x = x + self._attend(self.norm1(x), positions)
        return x + self.linear2(F.gelu(self.linear1(self.norm2(x))))

    def _attend(self, x: Tensor, positions: Tensor) -> Tensor:
        """``self_attn(x + positions, x + positions, x)`` without its transposition to (L, N, C), which makes
        the projections several times slower on a CPU."""
        attention, width = self.self_attn, x.shape[-1]
        weight, bias = attention.in_proj_weight, attention.in_proj_bias
        q, k = F.linear(x + positions, weight[: 2 * width], bias[: 2 * width]).chunk(2, dim=-1)
        v = F.linear(x, weight[2 * width :], bias[2 * width :])
        # (N, L, C) -> (N, heads, L, C / heads)
        q, k, v = (t.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2) for t in (q, k, v))
        return attention.out_proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
