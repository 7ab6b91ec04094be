"""Colouring grey faces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from tests.support.oracles import SKIN
from vidrestore.restoration.colour import as_grey, coloured, finish_colours
from vidrestore.restoration.fidelity.covers import SIDE
from vidrestore.restoration.luma import luma
from vidrestore.restoration.temporal.chroma import measure_chroma, steady_chroma
from vidrestore.restoration.temporal.face_crop import RestoredFace
from vidrestore.restoration.temporal.motion import NO_COMPARISON


def test_the_network_sees_luma_alone():
    images = torch.rand(2, 3, 8, 8)
    grey = as_grey(images)
    assert grey.shape == images.shape
    assert torch.equal(grey[:, 0], grey[:, 2])
    assert torch.allclose(grey[:, 0], luma(images, 1))


def test_luma_is_the_inputs_and_colours_are_the_results():
    images = as_grey(torch.rand(2, 3, 16, 16))
    result = coloured(images, 0.5 + SKIN[None, :, None, None].expand(2, 3, 16, 16))
    assert torch.allclose(luma(result, 1), luma(images, 1), atol=1e-5)
    assert 0 <= result.min() <= result.max() <= 1
    middle = (images[:, 0] > 0.3) & (images[:, 0] < 0.7)
    difference = (result - images).permute(0, 2, 3, 1)[middle]
    assert torch.allclose(difference, (SKIN - luma(SKIN, 0)).expand_as(difference), atol=1e-5)


def face(image: torch.Tensor) -> RestoredFace[None]:
    """A grey ``image`` (3, S, S), in the colours of skin."""
    result = coloured(image[None], image[None] * (1 + SKIN[:, None, None]))
    return RestoredFace(
        track=1,
        source=None,
        layers=torch.cat((result[0], torch.full_like(image[:1], 0.5))).half(),
        tint=measure_chroma(image[None], result)[0],
        comparison=NO_COMPARISON,
    )


def test_finished_faces_have_the_luma_of_their_frame_and_its_light():
    image = as_grey(0.3 + 0.3 * torch.rand(1, 3, 64, 64))[0]
    flash = 1.4 * image
    finished = finish_colours(steady_chroma(face(image), ()), flash)
    assert finished.layers.dtype == torch.float32
    assert torch.allclose(luma(finished.restored, 0), flash[0], atol=1e-3)
    red = (finished.restored[0] - flash[0]).mean()
    assert red / flash.mean() > 0.9 * (face(image).restored[0].float() - image[0]).mean() / image.mean()
    assert torch.equal(finished.mask, torch.full((64, 64), 0.5))


def test_what_lies_over_a_face_gets_no_colour():
    image = as_grey(0.3 + 0.3 * torch.rand(1, 3, 64, 64))[0]
    cover = np.zeros((SIDE, SIDE), np.uint8)
    cover[100:120] = 1
    finished = finish_colours(replace(face(image), cover=cover), image)
    assert finished.mask[26:29].max() == 0
    assert finished.mask[50:].min() == 0.5
