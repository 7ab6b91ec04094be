"""Blending masks of either kind, and paste-back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from facexlib.parsing.parsenet import ParseNet

from vidrestore.faces.alignment.align import TEMPLATE, Placement
from vidrestore.faces.alignment.face_parser import FaceParser
from vidrestore.faces.alignment.paste import face_masks, paste_back
from vidrestore.faces.face import Face


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
