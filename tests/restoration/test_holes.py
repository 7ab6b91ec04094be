"""Filling holes in faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from vidrestore.restoration import holes
from vidrestore.restoration.fidelity.covers import SIDE, STRONG, WEAK
from vidrestore.restoration.holes import edge_share, find_holes, finish_holes, seam_matched, whitened
from vidrestore.restoration.temporal.face_crop import RestoredFace
from vidrestore.restoration.temporal.motion import NO_COMPARISON

HOLE = np.zeros((SIDE, SIDE), np.uint8)
HOLE[96:160, 64:192] = 1
INSIDE = slice(24, 40), slice(16, 48)  # of 64 pixels


def face(colour: float, cover: np.ndarray | None = HOLE) -> RestoredFace[None]:
    return RestoredFace(
        track=1,
        source=None,
        layers=torch.cat((torch.full((3, 64, 64), colour), torch.ones(1, 64, 64))).half(),
        tint=torch.zeros(2, 112),
        comparison=NO_COMPARISON,
        cover=cover,
    )


def test_long_things_over_the_middle_of_a_face_are_found_and_others_are_not(monkeypatch):
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cover[20:240, 130:134] = STRONG  # a scratch
    cover[150:162, 90:102] = STRONG  # a nostril
    cover[20:240, 240:244] = STRONG  # the outline of hair
    cover[5:9, 5:9] = WEAK
    monkeypatch.setattr(holes, "find_covers", lambda images, scales, landmarks: [cover])
    [found] = find_holes(torch.zeros(1, 3, 64, 64), [1.0], [np.zeros((5, 2))])
    columns = np.flatnonzero((found == STRONG).any(axis=0))
    assert 126 <= columns.min() <= 130
    assert 133 <= columns.max() <= 137
    assert found[5:9, 5:9].max() == found[152:160, 92:100].max() == 0


def test_the_network_sees_white_holes():
    images = torch.rand(2, 3, 64, 64)
    seen = whitened(images, [HOLE, None])
    assert (seen[0][:, *INSIDE] == 1).all()
    assert torch.equal(seen[0, :, :24], images[0, :, :24])
    assert torch.equal(seen[1], images[1])


def test_results_take_the_colours_beside_the_hole_and_not_those_in_it():
    images = torch.full((1, 3, 64, 64), 0.3)
    images[0][:, *INSIDE] = 1
    matched = seam_matched(images, torch.full((1, 3, 64, 64), 0.5), [HOLE])
    assert torch.allclose(matched, torch.tensor(0.3), atol=0.02)


def test_the_hole_alone_is_filled_without_an_edge():
    own = torch.full((3, 64, 64), 0.3)
    own[:, *INSIDE] = 1
    finished = finish_holes(face(0.5), own)
    assert finished.mask[INSIDE].min() == 1
    assert finished.mask[:22].max() == finished.mask[:, :14].max() == 0
    # In the light of its frame; at the edge it is what is beside it, and nothing of the white remains.
    assert (finished.restored[:, *INSIDE] - 0.3).abs().max() < 0.02


def test_what_the_network_drew_is_used_up_to_the_edge():
    """A dark eye in the middle of the hole stays dark: colours in the hole follow from no average over it."""
    drawn = face(0.3)
    drawn.layers[:3, 30:34, 28:36] = 0.05
    own = torch.full((3, 64, 64), 0.3)
    own[:, *INSIDE] = 1
    assert finish_holes(drawn, own).restored[:, 31:33, 30:34].max() < 0.1


def test_what_goes_on_into_the_hole_joins_what_is_outside():
    """A result that is right but for its brightness leaves no edge, in fine texture and in gradients."""
    y, x = torch.meshgrid(*2 * [torch.linspace(0, 1, 256)], indexing="ij")
    stripes = 0.08 * torch.sin(60 * (x + 0.5 * y))
    truth = (0.4 + 0.2 * x - 0.1 * y + stripes).expand(3, -1, -1)
    own = truth.clone()
    own[:, 96:160, 64:192] = 1
    drawn = replace(face(0.0), layers=torch.cat((truth + 0.05, torch.ones(1, 256, 256))))
    error = (finish_holes(drawn, own).restored - truth)[:, 96:160, 64:192].abs()
    assert error.max() < 0.02
    assert error[:, 0].max() < 0.012


def test_a_face_without_a_hole_is_left_alone():
    finished = finish_holes(replace(face(0.5), cover=None), torch.full((3, 64, 64), 0.3))
    assert finished.mask.max() == 0


def test_the_result_is_fitted_at_the_edge_and_its_own_inside():
    fall = edge_share(HOLE, SIDE)[96:108, 128]
    assert (np.diff(fall) <= 0).all()
    assert fall[0] > 0.9
    assert 0.3 < fall[3] < 0.7
    assert fall[8:].max() == 0
    scratch = np.zeros((SIDE, SIDE), np.uint8)
    scratch[:, 100] = 1
    assert edge_share(scratch, SIDE)[:, 100].min() > 0.9
