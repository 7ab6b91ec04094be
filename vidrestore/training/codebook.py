"""Learning the codebook: moving averages of the features assigned to each code; unused codes are replaced."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .distributed import rank, total, world

#: A code is dead whose average use is below this share of the mean.
_DEAD = 0.03


def nearest_codes(features: Tensor, codebook: Tensor) -> Tensor:
    """Return the indices (N, H * W) of the codes (K, C) nearest to features (N, C, H, W), in float32 even
    under autocast: codes lie closer together than bfloat16 can tell apart."""
    with torch.autocast(features.device.type, enabled=False):
        flat = features.flatten(2).transpose(1, 2).float()
        return (codebook.square().sum(dim=1) - 2 * flat @ codebook.T).argmin(dim=-1)


class CodebookAverages(nn.Module):
    """Sets each code to the moving average of its features (van den Oord et al., 2017, appendix A.1).

    A code whose average use falls below a share of the mean is replaced by a feature of the batch. At first
    all codes are, so the codebook is initialised from features. Several processes share their features and
    have the same codebook.
    """

    count: Tensor  #: (K,) average number of features per code and batch
    total: Tensor  #: (K, C) average sum of these features

    def __init__(self, codebook: Tensor, *, decay: float = 0.97) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("count", torch.zeros(len(codebook)))
        self.register_buffer("total", torch.zeros_like(codebook))

    @torch.no_grad()
    def update(self, codebook: Tensor, features: Tensor, generator: torch.Generator) -> None:
        """Update ``codebook`` (K, C) in place with the features (N, C, H, W) of one batch."""
        flat = features.transpose(0, 1).flatten(1).T.float()
        codes = nearest_codes(features, codebook).flatten()
        used = total(torch.bincount(codes, minlength=len(codebook)).float())
        sums = total(torch.zeros_like(self.total).index_add_(0, codes, flat))
        if not torch.isfinite(sums).all():  # one bad batch must not end a long run
            return
        self.count.mul_(self.decay).add_(used, alpha=1 - self.decay)
        self.total.mul_(self.decay).add_(sums, alpha=1 - self.decay)
        mean = len(flat) * world() / len(codebook)
        dead = torch.nonzero(self.count < _DEAD * mean).flatten()
        if len(dead):
            chosen = torch.randint(len(flat) * world(), (len(dead),), generator=generator)
            self.total[dead] = _rows(flat, chosen.to(flat.device)) * mean
            self.count[dead] = mean
        codebook.copy_(self.total / self.count[:, None])

    def perplexity(self) -> float:
        """Return the effective number of codes in use, the exponential of their entropy: 1 to K."""
        p = self.count / self.count.sum().clamp_min(1e-9)
        return float(torch.exp(-(p * (p + 1e-9).log()).sum()))


def _rows(flat: Tensor, chosen: Tensor) -> Tensor:
    """Return the ``chosen`` rows of the concatenation of ``flat`` (R, C) over all processes."""
    here = chosen - rank() * len(flat)
    mine = (here >= 0) & (here < len(flat))
    return total(flat[here.clamp(0, len(flat) - 1)] * mine[:, None])
