"""Fill what is covered with what is around it, so that the restorer sees a face and no letters."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload
from ..planes import enlarge, shrink
from .covers import SIDE, STRONG

#: How often the picture is halved, from a map to one pixel: the wider a cover, the coarser what fills its
#: middle.
_HALVINGS = 8
#: Weight of a coarser picture's pixel relative to a pixel that is seen.
_COARSER = 1e-3


@torch.inference_mode()
def fill_covered(image: Tensor, cover: np.ndarray) -> Tensor:
    """``image`` (3, S, S) with its covered pixels interpolated from those around them (pull-push: Gortler et
    al., The Lumigraph, 1996). ``cover`` is a map of :func:`.covers.find_covers`."""
    seen = 1 - upload((cover >= STRONG).astype(np.float32), image.device)[None, None]
    # A pixel's colours times its weight, and its weight.
    levels = [torch.cat((shrink(image[None], SIDE) * seen, seen), dim=1)]
    for halvings in range(1, _HALVINGS + 1):
        levels.append(shrink(levels[-1], SIDE >> halvings))
    filled = _mean(levels.pop())
    while levels:
        layers = levels.pop()
        coarser = enlarge(filled, layers.shape[-2:])
        layers[:, :3].add_(coarser, alpha=_COARSER)
        layers[:, 3:].add_(_COARSER)
        filled = _mean(layers)
    filled = enlarge(filled, image.shape[-2:])
    seen = F.interpolate(seen, image.shape[-2:], mode="nearest")
    return torch.where(seen > 0, image[None], filled.to(image.dtype))[0]


def _mean(layers: Tensor) -> Tensor:
    return layers[:, :3] / layers[:, 3:].clamp_min(1e-12)
