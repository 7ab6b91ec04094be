"""A finished face has the light of its own frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.textures import texture
from vidrestore.restoration.fidelity import covers
from vidrestore.restoration.finish import SIDE, finish
from vidrestore.restoration.planes import shrink
from vidrestore.restoration.temporal.face_crop import RestoredFace
from vidrestore.restoration.temporal.motion import NO_COMPARISON
from vidrestore.restoration.temporal.tint import measure_tints

SIZE = 512
MASK = torch.zeros(SIZE, SIZE)
MASK[64:-64, 96:-96] = 1


def face(image: torch.Tensor) -> RestoredFace[None]:
    layers = torch.cat((image, MASK[None])).half()
    return RestoredFace(
        track=1, source=None, layers=layers, tint=torch.zeros(2, 112), comparison=NO_COMPARISON
    )


def of(own: torch.Tensor) -> torch.Tensor:
    """``own`` (3, S, S), the crop of a frame, as it is read for finishing."""
    return shrink(own[None], min(SIDE, own.shape[-1]))[0]


RAMP = torch.linspace(0.5, 1.2, SIZE)


@pytest.mark.parametrize(
    "own",
    [0.7 * texture(size=SIZE), 0.4 + 0.5 * texture(size=SIZE), RAMP * texture(size=SIZE)],
    ids=["darker", "brighter", "lit from one side"],
)
def test_broad_light_and_the_mean_are_the_own_frames(own):
    own = own.clamp(0, 1)
    detail = 0.04 * torch.randn(own.shape, generator=torch.Generator().manual_seed(0))
    restored = (texture(size=SIZE) + detail).clamp(0, 1)
    found = finish(face(restored), of(own))
    assert found.mask.equal(MASK)
    under = MASK > 0
    off = (found.restored - own)[:, under].mean(dim=1) * 255
    assert off.abs().max() < 0.05
    before, after = (torch.nn.functional.avg_pool2d(x - own, 64) for x in (restored, found.restored))
    assert after[:, 1:-1, 2:-2].square().mean() < 0.1 * before[:, 1:-1, 2:-2].square().mean()
    without = finish(face(texture(size=SIZE)), of(own)).restored
    kept = torch.stack(((found.restored - without)[:, under].flatten(), detail[:, under].flatten()))
    assert torch.corrcoef(kept)[0, 1] > 0.9


def test_a_face_is_kept_to_its_hue():
    grey = texture(size=SIZE).mean(dim=0, keepdim=True).expand(3, -1, -1)
    restored = replace(face(texture(1, SIZE)), hue=measure_tints(grey[None])[0])
    found = finish(restored, of(grey)).restored
    assert (found[0] - found[2]).abs().max() < 0.001
    assert (found - grey).mean(0).std() > 0.02


@pytest.mark.parametrize("value", [0.0, 1.0], ids=["unlit", "in a flash"])
def test_no_detail_is_drawn_where_the_frame_shows_none(value):
    own = texture(size=SIZE).clone()
    own[:, 200:320, 180:330] = value
    restored = (own + 0.1 * torch.randn(own.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    found = finish(face(restored), of(own)).restored
    inner = (slice(None), slice(210, 310), slice(190, 320))
    assert (found - own)[inner].abs().max() < 1.5 / 255
    assert (found - own)[:, 340:400, 180:330].abs().mean() > 0.04


def test_what_lies_over_a_face_keeps_its_samples_and_its_colour():
    """A white bar over a grey face is not written to, and does not brighten what is around it."""
    own = torch.full((3, 128, 128), 0.4)
    own[:, 50:70] = 1.0
    cover = np.zeros((covers.SIDE, covers.SIDE), np.uint8)
    cover[96:144] = 1
    layers = torch.full((4, 128, 128), 0.4)
    layers[3] = 1
    covered = RestoredFace(
        track=1, source=None, layers=layers, tint=torch.zeros(5), comparison=NO_COMPARISON, cover=cover
    )
    finished = finish(covered, of(own))
    assert (finished.mask[50:70] == 0).all()
    assert (finished.mask[:40] == 1).all()
    assert (finished.restored[:, :45] - 0.4).abs().max() < 0.01


def test_where_the_mask_is_a_window_changes_nothing():
    own = texture(size=SIZE).clone()
    own[:, 200:320, 180:330] = 1
    given = face((0.8 * texture(1, SIZE)).clamp(0, 1))
    window = slice(64, SIZE - 64), slice(96, SIZE - 96)
    whole, part = finish(given, of(own)), finish(replace(given, window=window), of(own))
    torch.testing.assert_close(part.layers[:, *window], whole.layers[:, *window])
    assert part.mask.equal(whole.mask)
