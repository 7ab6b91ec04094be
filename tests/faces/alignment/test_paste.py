"""Blending masks of either kind, and paste-back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from facexlib.parsing.parsenet import ParseNet

from vidrestore.faces.alignment.align import TEMPLATE, Placement
from vidrestore.faces.alignment.face_parser import FaceParser
from vidrestore.faces.alignment.paste import face_masks, paste_back
from vidrestore.faces.face import Face, Neighbour


@pytest.fixture(scope="module")
def parser() -> FaceParser:
    torch.manual_seed(0)
    return FaceParser(ParseNet(in_size=512, out_size=512, parsing_ch=19).state_dict())


def placed() -> Placement:
    return Placement(Face(1, np.zeros(4), TEMPLATE, 0.25), np.eye(3), TEMPLATE)


@pytest.mark.parametrize("parsed", [False, True])
def test_masks_are_those_of_faces_whatever_their_strength(parser, monkeypatch, parsed):
    """Which is that of single frames, while masks are blended over time."""
    logits = torch.zeros(1, 19, 512, 512)
    logits[:, 1] = 1
    monkeypatch.setattr(
        parser._network, "forward", lambda faces: (logits.expand(len(faces), -1, -1, -1), None)
    )
    [mask] = face_masks([placed()], torch.zeros(1, 3, 512, 512), parser if parsed else None)
    assert mask.max() == pytest.approx(1, abs=0.01)
    assert mask.min() < 1e-4


def test_a_restored_face_is_blended_where_it_was_cut_out():
    blended = []

    class Canvas:
        def blend(self, rgb, mask, matrix):
            blended.append((rgb, mask, matrix))

    face, restored, mask = placed(), torch.rand(3, 512, 512), torch.rand(512, 512)
    paste_back(Canvas(), face, restored, mask)
    [(rgb, used, matrix)] = blended
    assert rgb is restored
    assert used is mask
    assert matrix is face.matrix


def beside(distance: float, strength: float = 1.0) -> Placement:
    """A face with another one of its size beside it, ``distance`` pixels of the crop to the right."""
    return replace(placed(), neighbours=(Neighbour(TEMPLATE + np.array((distance, 0.0)), strength),))


@pytest.mark.parametrize("extent", ["face", "wide", "crop"])
@pytest.mark.parametrize("parsed", [False, True])
def test_each_of_two_faces_keeps_what_is_its_own(parser, monkeypatch, parsed, extent):
    """Cheek to cheek, one was pasted over the other, eyes and all, by its own crop."""
    logits = torch.zeros(1, 19, 512, 512)
    logits[:, 1] = 1  # whose skin it is the parser does not tell
    monkeypatch.setattr(
        parser._network, "forward", lambda faces: (logits.expand(len(faces), -1, -1, -1), None)
    )
    image, used = torch.zeros(1, 3, 512, 512), parser if parsed else None
    [alone] = face_masks([placed()], image, used, extent=extent)
    [both] = face_masks([beside(180)], image, used, extent=extent)
    own_eye, its_eye, its_mouth = (193, 240), (373, 240), (460, 371)
    for x, y in (its_eye, its_mouth):
        assert both[y, x] < 0.02
    x, y = own_eye
    assert both[y, x] == pytest.approx(float(alone[y, x]), abs=0.01)
    assert ((both <= alone + 1e-6) & (both >= 0)).all()
    # The border between them is soft.
    share = both[300, 150:330] / alone[300, 150:330]
    assert share.diff().abs().max() < 0.04
    # One that has only begun to fade in changes little, and one farther away nothing of the face.
    [fading] = face_masks([beside(180, 0.1)], image, used, extent=extent)
    assert (alone - fading).max() < 0.11
    [apart] = face_masks([beside(420)], image, used)
    assert torch.equal(apart[100:460, 120:330], face_masks([placed()], image, used)[0][100:460, 120:330])


def test_a_small_face_in_the_crop_of_a_large_one_is_left_out():
    small = 0.3 * (TEMPLATE - 256) + (360, 400)
    [mask] = face_masks(
        [replace(placed(), neighbours=(Neighbour(small, 1.0),))], torch.zeros(1, 3, 512, 512), None
    )
    assert mask[int(small[2, 1]), int(small[2, 0])] < 0.02
    assert mask[240, 193] == 1
