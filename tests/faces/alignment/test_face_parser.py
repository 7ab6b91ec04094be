"""Masks from the classes of the face parser."""

from __future__ import annotations

import pytest
import torch
from facexlib.parsing.parsenet import ParseNet

from vidrestore.errors import WeightsError
from vidrestore.faces.alignment.face_parser import FaceParser


@pytest.fixture(scope="module")
def parser() -> FaceParser:
    torch.manual_seed(0)
    return FaceParser(ParseNet(in_size=512, out_size=512, parsing_ch=19).state_dict())


@pytest.mark.parametrize(
    ("label", "shown"), [(1, True), (4, True), (13, True), (0, False), (14, False), (17, False), (18, False)]
)
def test_the_mask_covers_face_classes_only(parser, monkeypatch, label, shown):
    """Classes 1 (skin), 4 (eye) and 13 (hair); not 0 (background), 14 (hat), 17 (neck), 18 (clothes)."""
    logits = torch.zeros(1, 19, 512, 512)
    logits[:, 0] = 1
    logits[:, label, 128:384, 128:384] = 2
    monkeypatch.setattr(parser._network, "forward", lambda faces: (logits, None))
    [mask] = parser(torch.zeros(1, 3, 512, 512))
    assert mask[256, 256] == pytest.approx(float(shown), abs=1e-3)
    assert mask[128, 256] == pytest.approx(0.5 * shown, abs=0.05)  # the edge is soft
    assert mask[40, 256] == pytest.approx(0, abs=1e-3)


def test_masks_of_the_network_are_in_range(parser):
    masks = parser(torch.rand(1, 3, 512, 512))
    assert masks.shape == (1, 512, 512)
    assert 0 <= masks.min() <= masks.max() <= 1
    assert masks[:, 0].max() < 0.01


def test_weights_of_another_network_are_refused():
    with pytest.raises(WeightsError, match="not ParseNet's weights"):
        FaceParser({"conv.weight": torch.zeros(1)})


def test_the_global_random_generator_is_left_alone(parser):
    state, before = parser._network.state_dict(), torch.random.get_rng_state()
    FaceParser(state)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("side", [256, 1024])
def test_faces_of_other_sizes_have_masks_of_their_size(parser, monkeypatch, side):
    logits = torch.zeros(1, 19, 512, 512)
    logits[:, 1, 128:384, 128:384] = 2
    monkeypatch.setattr(parser._network, "forward", lambda faces: (logits, None))
    [mask] = parser(torch.zeros(1, 3, side, side))
    assert mask.shape == (side, side)
    assert mask[side // 2, side // 2] == pytest.approx(1, abs=1e-3)
    assert mask[side // 4, side // 2] == pytest.approx(0.5, abs=0.05)
    assert mask[0].max() < 0.01
