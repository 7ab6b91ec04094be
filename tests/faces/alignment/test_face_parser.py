"""The parser's masks, and how masks of either kind are scaled."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from facexlib.parsing.parsenet import ParseNet

from vidrestore.errors import WeightsError
from vidrestore.faces.alignment.align import TEMPLATE, AlignedFace
from vidrestore.faces.alignment.face_parser import FaceParser
from vidrestore.faces.alignment.paste import face_masks
from vidrestore.faces.face import Face


@pytest.fixture(scope="module")
def parser() -> FaceParser:
    torch.manual_seed(0)
    return FaceParser(ParseNet(in_size=512, out_size=512, parsing_ch=19).state_dict())


def aligned(strength: float) -> AlignedFace:
    face = Face(1, np.zeros(4), TEMPLATE, strength)
    return AlignedFace(face, np.eye(3), torch.zeros(3, 512, 512), TEMPLATE)


@pytest.mark.parametrize(
    ("label", "shown"), [(1, True), (4, True), (13, True), (0, False), (14, False), (17, False), (18, False)]
)
def test_the_mask_is_where_the_face_is(parser, monkeypatch, label, shown):
    """Class 1 is skin, 4 an eye, 13 hair; 0 background, 14 a hat, 17 the neck, 18 clothes."""
    logits = torch.zeros(1, 19, 512, 512)
    logits[:, 0] = 1
    logits[:, label, 128:384, 128:384] = 2
    monkeypatch.setattr(parser._network, "forward", lambda faces: (logits, None))
    [mask] = parser(torch.zeros(1, 3, 512, 512))
    assert mask[256, 256] == pytest.approx(float(shown), abs=1e-3)
    assert mask[128, 256] == pytest.approx(0.5 * shown, abs=0.05)  # the edge is soft
    assert mask[40, 256] == pytest.approx(0, abs=1e-3)


def test_real_network_gives_masks_in_range(parser):
    masks = parser(torch.rand(1, 3, 512, 512))
    assert masks.shape == (1, 512, 512)
    assert 0 <= masks.min() <= masks.max() <= 1
    assert masks[:, 0].max() < 0.01


def test_weights_of_another_network_are_refused():
    with pytest.raises(WeightsError, match="not ParseNet's weights"):
        FaceParser({"conv.weight": torch.zeros(1)})


@pytest.mark.parametrize("parsed", [False, True])
def test_strength_scales_the_mask(parser, monkeypatch, parsed):
    logits = torch.zeros(1, 19, 512, 512)
    logits[:, 1] = 1
    monkeypatch.setattr(
        parser._network, "forward", lambda faces: (logits.expand(len(faces), -1, -1, -1), None)
    )
    restored = torch.zeros(2, 3, 512, 512)
    full, faint = face_masks([aligned(1.0), aligned(0.25)], restored, parser if parsed else None)
    assert full.max() > 0
    assert torch.allclose(faint, 0.25 * full, atol=1e-5)
