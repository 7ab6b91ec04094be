"""How much of what a network adds to a picture may be shown in a video without it flickering.

A network sharpens noise, too, and what it makes of noise is another thing in each frame. So a still test
picture with other noise in each of some frames is enlarged by the network and by the resampler, and the
network's detail is shown only as far as the result changes over time at most as much as allowed. It is
measured once, when the network is loaded: the share depends on the network and on nothing in the video, so
every frame gets the same, wherever a run begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

#: Deviation over time, relative to the resampler's, up to which a network's detail is shown. Of other
#: pictures it is up to 1.2.
LIMIT = 1.15
#: Standard deviations of the noise, of luma and of each channel by itself, in 8-bit steps: at each of these
#: the limit is kept. Most noise of videos is that of luma, and many networks know the other kind only.
_NOISES = ((2.0, 0.5), (4.0, 1.0), (8.0, 2.0), (0.0, 4.0))
#: Frames, side of the picture in pixels, and pixels at its edge that are left out.
_FRAMES, _SIDE, _EDGE = 6, 64, 8
#: Steps in which the share is chosen: rounding of arithmetic is far finer.
_STEPS = 32


def steady_share(learned: Callable[[Tensor], Tensor], resampled: Callable[[Tensor], Tensor]) -> float:
    """The share of ``learned(x) - resampled(x)`` in [0, 1] that may be added to ``resampled(x)``. Both take
    RGB in [0, 1], (3, H, W), and enlarge it alike."""
    picture = still_picture()
    generator = torch.Generator().manual_seed(0)
    share = 1.0

    def noise(channels: int) -> Tensor:
        return torch.randn(channels, _SIDE, _SIDE, generator=generator) / 255

    for of_luma, of_channels in _NOISES:
        noisy = [(picture + of_luma * noise(1) + of_channels * noise(3)).clamp(0, 1) for _ in range(_FRAMES)]
        base = [resampled(frame) for frame in noisy]
        detail = [learned(frame) - below for frame, below in zip(noisy, base, strict=True)]
        share = min(share, _largest(base, detail))
    return share


def _largest(base: Sequence[Tensor], detail: Sequence[Tensor]) -> float:
    """The largest share, in steps, of the ``detail`` of frames with which ``base`` flickers as allowed."""
    edge = base[0].shape[-1] // _SIDE * _EDGE
    inside = (..., slice(edge, -edge), slice(edge, -edge))
    still, added = (torch.stack([frame[inside] for frame in frames]) for frames in (base, detail))
    still, added = (frames - frames.mean(dim=0) for frames in (still, added))
    allowed = LIMIT * float(still.square().mean(dim=0).sqrt().mean())
    for step in range(_STEPS, 0, -1):
        changing = still + added * (step / _STEPS)
        if float(changing.square().mean(dim=0).sqrt().mean()) <= allowed:
            return step / _STEPS
    return 0.0


def still_picture() -> Tensor:
    """A still picture with flat, soft, fine and hard-edged places: (3, 64, 64) RGB in [0, 1]."""
    y, x = torch.meshgrid(*2 * [torch.linspace(-1, 1, _SIDE)], indexing="ij")
    soft = 0.5 + 0.3 * torch.sin(2.5 * x + 1.5 * y)
    rings = 0.12 * torch.sin(40 * (x - 0.4) ** 2 + 40 * (y + 0.3) ** 2)
    edges = 0.25 * ((x + 0.6 * y).remainder(0.7) < 0.2)
    disc = ((x + 0.45) ** 2 + (y - 0.4) ** 2 < 0.08) * -0.35
    luma = soft + rings * (y < 0.2) + edges * (x > -0.1) + disc
    tint = torch.stack((1 + 0.15 * x, torch.ones_like(x), 1 - 0.2 * y))
    return (luma * tint).clamp(0.05, 0.95)
