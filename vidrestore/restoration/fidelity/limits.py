"""Limits on what restoration may do to a face.

Around the eyes, the mouth and the nostrils a result stays within the range of its input's surroundings, and a
little beyond; and its edges become only a little sharper (see :mod:`.edges`). What restoration may add there
depends on what degradation may have removed: much of a blurred face, hardly anything of one that is nearly
clean, whose truth may be as soft as it is. The tolerance for blur comes
from how far clean faces exceed the range of the same faces degraded; that for nearly clean ones from how many
soft faces come out crisper than they were.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..luma import luma
from ..planes import binomial, enlarge, local_maximum, local_mean, shrink
from .edges import hold_edges
from .face_quality import FaceQuality
from .parts import Parts

#: Side in pixels of an aligned face to which the other numbers of pixels refer.
_SIDE = 512
#: Sides in pixels of squares. The least and the largest luma in one of the first two, or in the pixel alone,
#: are the range of its centre; that in the last tells the contrast with what is around.
_NARROW, _BROAD, _WIDE = 6, 10, 36
#: Side in pixels of the square whose colours a result may have.
_COLOURS = 18
#: Share of the way from the pixel alone to the broad square that ``w`` = 1 takes away.
_NARROWER = 0.5
#: Noise, in levels of 255, up to which a face is clean, and from which on it is as free as a blurred one.
_CLEAN, _NOISY = 1.0, 2.5
#: Tolerance in levels of 255 of a clean face, and for each level of noise beyond.
_TOLERANCE, _PER_NOISE = 1.0, 2.0
#: Tolerance as a share of the contrast with the darkest or the lightest place around: from this sharpness on,
#: and what is added for a face as blurred as the second.
_LEAST, _SOFT = 0.01, 0.49
_MOST, _BLURRED = 0.7, 0.215
#: Share of the tolerances that ``w`` = 1 takes away.
_FAITHFUL = 0.4
#: Blur, as a share of the most, from which on a face is sharpened by ``w``; one that is nearly clean is not.
_SHARPENED = 0.5
#: Side in pixels to which a worn face is reduced, so that no edge is left that the model drew.
_LOW = 128
#: Share of the detail that the model drew which a worn face loses, and share of its own that it keeps.
_DRAWN, _OWN = 0.75, 0.8
#: Pixels that are computed around the parts, so that the border of what is computed does not count.
_MARGIN = 32


def hold_in_range(
    restored: Tensor,
    images: Tensor,
    parts: Parts,
    w: Tensor,
    qualities: Sequence[FaceQuality],
    doubts: Sequence[float],
) -> Tensor:
    """Hold the eyes, the mouth and the nostrils of restored faces in the range of their inputs, and near
    their sharpness.

    The limits are soft: what exceeds them is compressed, so that nothing is clipped. They hold for luma;
    colour differences stay within the range of the input's too, and become its own as far as it is neither
    blurred nor noisy.

    Args:
        restored: (N, 3, S, S) RGB in [0, 1].
        images: The inputs, of the same shape.
        parts: The parts of the N faces.
        w: (N,) fidelity weights in [0, 1].
        qualities: The quality of the N inputs.
        doubts: N shares in [0, 1] of the limit of sharpness, see :func:`.rules.doubt`.

    Returns:
        ``restored``, changed in place.
    """
    size = restored.shape[-1]
    rows, columns = _extent(parts.rows, size), _extent(parts.columns, size)
    weight = parts.maps.amax(dim=1, keepdim=True)
    weight = enlarge(weight, (size, size))[..., rows, columns]
    # Copies, plane by plane: channels last these steps take twice the time.
    inside, inputs = (image[..., rows, columns].contiguous() for image in (restored, images))
    y, x = (luma(image, 1)[:, None] for image in (inside, inputs))
    numbers = _freedom(qualities, w, doubts).to(x)[..., None, None, None]
    wider, levels, share, sharper, sharpened, own, doubt = numbers.unbind(1)
    low, high, lowest, highest = _ranges(x, wider, size / _SIDE)
    above, below = (y - high).clamp_min_(0), (low - y).clamp_min_(0)
    # Blur darkens what is bright in its surroundings and brightens what is dark, so only that is undone: a
    # pale spot in a pupil or a dark one in a tooth is invented.
    lighter = (x - lowest).clamp_min_(0).mul_(share).add_(levels)
    darker = (highest - x).clamp_min_(0).mul_(share).add_(levels)
    held = y + (_excess(below, darker) - _excess(above, lighter))
    held = held.lerp(hold_edges(held, x, sharper, sharpened), doubt)
    colours = _hold_colours(inside - y, inputs - x, own, levels, size / _SIDE)
    restored[..., rows, columns] = inside.lerp(colours.add_(held), weight).clamp_(0, 1)
    return restored


def _freedom(qualities: Sequence[FaceQuality], w: Tensor, doubts: Sequence[float]) -> Tensor:
    """How far N faces may go beyond their input, (N, 7): which square the range is taken in, from 0 for the
    smallest to 1 for the widest; the tolerance, as a luma in [0, 1] and as a share of the contrast with
    the surroundings; the limit of sharpness, as a share of the usual one; how much their own
    edges are sharpened; the share of the input's own colour differences; and ``doubts``."""
    sharpness, noise = torch.tensor([(quality.sharpness, quality.noise) for quality in qualities]).unbind(1)
    w = w.cpu()
    blur = ((_SOFT - sharpness) / (_SOFT - _BLURRED)).clamp(0, 1)
    noisy = ((noise - _CLEAN) / (_NOISY - _CLEAN)).clamp(0, 1)
    unclear = 1 - (1 - blur) * (1 - noisy)
    wider = unclear * (1 - _NARROWER * w)
    levels = (_TOLERANCE + _PER_NOISE * (noise - _CLEAN).clamp_min(0)) / 255
    limits = torch.stack((levels, _LEAST + _MOST * blur**2, torch.ones_like(w))) * (1 - _FAITHFUL * w)
    sharpened = w * (blur / _SHARPENED).clamp(max=1)
    return torch.stack(
        (wider, *limits, sharpened, 1 - unclear, torch.tensor(doubts, dtype=torch.float32)), dim=1
    )


def soften(restored: Tensor, images: Tensor, worn: Sequence[float]) -> Tensor:
    """Clean faces that are too worn to be restored.

    Such a face keeps what restoration made of it at a low resolution, without noise and blocks. Of the edges
    that the model drew a little remains, and some of the input's own detail takes their place.

    Args:
        restored: (N, 3, S, S) RGB in [0, 1].
        images: The inputs, of the same shape.
        worn: N numbers in [0, 1]: how far each face is too worn.

    Returns:
        ``restored``, changed in place.
    """
    for face, image, share in zip(restored.split(1), images.split(1), worn, strict=True):
        if share > 0:
            change = _OWN * _detail(image) - _DRAWN * _detail(face)
            face.add_(change, alpha=share).clamp_(0, 1)
    return restored


def _detail(image: Tensor) -> Tensor:
    """What ``image`` (1, 3, S, S) has beyond a low resolution."""
    size = image.shape[-1]
    side = max(1, size * _LOW // _SIDE)
    return image - enlarge(binomial(shrink(image, side)), (size, size))


def _excess(excess: Tensor, most: Tensor) -> Tensor:
    """What compressing ``excess`` takes away of it."""
    # t * (1 - exp(-excess / t)) has slope 1 at the edge of the range and never exceeds t.
    return excess + most * torch.expm1(-excess / most)


def _hold_colours(restored: Tensor, own: Tensor, share: Tensor, tolerance: Tensor, scale: float) -> Tensor:
    """The colour differences that faces get, (N, 3, H, W): those ``restored`` within the range of the input's
    ``own``, and these by ``share``. Blur leaves every colour that it found, so a green speck in a red nostril
    or at an eyelid is none of the input's."""
    size = restored.shape[-2:]
    half = [side // 2 for side in size]
    restored, own = shrink(restored, half), local_mean(shrink(own, half), 3)
    low, high = local_maximum(torch.cat((-own, own), dim=1), max(1, round(scale * _COLOURS / 2)) | 1).chunk(
        2, dim=1
    )
    above, below = (restored - high).clamp_min_(0), (-low - restored).clamp_min_(0)
    held = restored + (_excess(below, tolerance) - _excess(above, tolerance))
    return enlarge(held.lerp(own, share), size)


def _ranges(x: Tensor, wider: Tensor, scale: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The least and the largest luma around each pixel of ``x`` (N, 1, H, W), and the same further around it,
    all smooth. ``wider`` (N, 1, 1, 1) says which square the former are taken in."""
    narrow, broad, wide = (max(1, round(side * scale / 2)) | 1 for side in (_NARROW, _BROAD, _WIDE))
    half = _halve(torch.cat((-x, x), dim=1))
    largest = local_maximum(half, narrow)
    # The means are narrower than the squares, so that no pixel exceeds its own range.
    bounds = half, local_mean(largest, narrow), local_mean(local_maximum(largest, broad - narrow + 1), narrow)
    most = bounds[0].lerp(bounds[1], (2 * wider).clamp(max=1))
    most = most.lerp(bounds[2], (2 * wider - 1).clamp(min=0))
    further = local_mean(local_maximum(_halve(half), (wide // 2) | 1), narrow)
    most, further = (enlarge(y, x.shape[-2:]) for y in (most, further))
    return -most[:, :1], most[:, 1:], -further[:, :1], further[:, 1:]


def _halve(x: Tensor) -> Tensor:
    """The largest value in each block of 2 x 2."""
    x = torch.maximum(x[..., ::2, :], x[..., 1::2, :])
    return torch.maximum(x[..., ::2], x[..., 1::2])


def _extent(shares: tuple[float, float], size: int) -> slice:
    """The rows or columns of faces of ``size`` in which the limits are computed."""
    first, last = shares[0] * size, shares[1] * size
    margin = _MARGIN * size / _SIDE
    # Multiples of 8: the resolution is halved three times, on the same grid for every batch.
    return slice(max(0, int(first - margin)) & ~7, min(size, int(last + margin + 8)) & ~7)
