"""Colouring grey faces: what the network sees, and what of its result is used, which is chroma alone."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from .fidelity.covers import shown_share
from .luma import luma
from .planes import enlarge, shrink
from .temporal.chroma import chroma_of, missing_chroma
from .temporal.colour_transfer import spread
from .temporal.face_crop import RestoredFace, Source


def as_grey(images: Tensor) -> Tensor:
    """``images`` (N, 3, S, S) RGB without their colours, which are noise or a faint tint."""
    return luma(images, 1)[:, None].expand(-1, 3, -1, -1)


def coloured(images: Tensor, restored: Tensor) -> Tensor:
    """``images`` (N, 3, S, S), RGB in [0, 1], in the colours of ``restored``: their luma stays."""
    return _at_luma(luma(images, 1)[:, None], chroma_of(restored))


def finish_colours(face: RestoredFace[Source], own: Tensor) -> RestoredFace[Source]:
    """``face`` as its colours are written, with ``layers`` in float32. ``own`` (3, s, s), RGB in [0, 1], is
    the crop of its own frame as it was read, whose brightness its broad colours follow."""
    layers = face.layers.float()
    restored, mask = layers[:3], layers[3]
    brightness = luma(own, 0)
    chroma = chroma_of(restored[None])
    if face.hue is not None:
        small = shrink(restored[None], own.shape[-1])[0]
        change = missing_chroma(small, brightness, face.hue.to(own))
        chroma = chroma + spread(change, restored.shape[-1])
    if face.cover is not None:
        mask = mask * shown_share(face.cover, len(mask), mask.device)
    light = enlarge(brightness[None, None], mask.shape)
    return replace(face, layers=torch.cat((_at_luma(light, chroma)[0], mask[None])))


def _at_luma(brightness: Tensor, chroma: Tensor) -> Tensor:
    """RGB in [0, 1] of ``brightness`` (N, 1, S, S) and ``chroma`` (N, 3, S, S); one that does not fit becomes
    paler."""
    room = torch.where(chroma > 0, 1 - brightness, brightness).clamp_min_(0)
    fits = (room / chroma.abs().clamp_min(1e-6)).amin(dim=1, keepdim=True).clamp_(0, 1)
    return (brightness + chroma * fits).clamp_(0, 1)
