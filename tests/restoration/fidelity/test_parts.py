"""Soft maps of the eyes, the mouth and the nostrils."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.parts import find_parts


def at(maps: torch.Tensor, part: int, x: float, y: float) -> float:
    side = maps.shape[-1]
    return float(maps[0, part, int(y * side / 512), int(x * side / 512)])


def test_each_part_lies_at_its_landmarks():
    maps = find_parts(TEMPLATE[None], 512, 128).maps
    mouth = TEMPLATE[3:].mean(axis=0)
    centres = [TEMPLATE[0], TEMPLATE[1], mouth]
    for part in range(3):
        found = [at(maps, part, *centre) for centre in centres]
        assert found == [float(i == part) for i in range(3)]
        assert at(maps, part, 130, 315) == 0  # a cheek


@pytest.mark.parametrize("x", [225, 288])
def test_the_nostrils_are_a_part_and_the_bridge_of_the_nose_is_not(x):
    maps = find_parts(TEMPLATE[None], 512, 128).maps
    assert at(maps, 3, x, 328) > 0.9
    assert at(maps, 3, x, 270) == 0


def test_features_are_the_eyes_and_the_mouth():
    parts = find_parts(TEMPLATE[None], 512, 128)
    assert torch.equal(parts.features, parts.maps[:, :3])


def test_a_part_falls_smoothly():
    maps = find_parts(TEMPLATE[None], 512, 512).maps
    for dim in (-1, -2):
        assert maps.diff(dim=dim).abs().max() < 0.08


def test_parts_scale_with_the_face_and_follow_its_roll():
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    turned = (TEMPLATE - 256) @ turn.T + 256
    upright, small, lying = (
        find_parts(points[None], size, 128).maps
        for points, size in ((TEMPLATE, 512), (TEMPLATE / 8, 64), (turned, 512))
    )
    assert torch.allclose(upright, small, atol=1e-4)
    assert torch.allclose(upright.rot90(-1, (2, 3)), lying, atol=1e-3)


@pytest.mark.parametrize("shift", [0.0, 60.0])
def test_the_extent_holds_every_part(shift):
    parts = find_parts(np.stack([TEMPLATE, TEMPLATE - shift]), 512, 128)
    (top, bottom), (left, right) = parts.rows, parts.columns
    outside = parts.maps.clone()
    outside[..., int(128 * top) : int(np.ceil(128 * bottom)), int(128 * left) : int(np.ceil(128 * right))] = 0
    assert outside.max() == 0
    assert bottom - top < 0.8


def test_landmarks_that_coincide_give_maps():
    assert find_parts(np.full((1, 5, 2), 30.0), 64, 32).maps.isfinite().all()
