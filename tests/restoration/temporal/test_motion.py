"""Motion and similarity between two aligned faces."""

from __future__ import annotations

import numpy as np
import torch

from tests.support.textures import SIZE, texture
from vidrestore.restoration.temporal.blend import Contribution, blend
from vidrestore.restoration.temporal.motion import MAP, View, estimate_motions, other_pictures, similarity


def test_flow_aligns_a_shifted_face():
    image = texture()
    shifted = torch.roll(image, (3, -2), dims=(1, 2))
    motion = estimate_motions(View.from_image(image), {1: View.from_image(shifted)})[1]
    inner = slice(MAP // 6, -MAP // 6)
    assert np.abs(motion.flow[inner, inner] * (SIZE / MAP) - (-2, 3)).mean() < 0.3
    inner = slice(SIZE // 6, -SIZE // 6)
    warped = 2 * blend(image, [Contribution(shifted, motion.flow, np.ones((MAP, MAP), "f4"))]) - image
    difference = (warped - image)[:, inner, inner].abs().mean()
    assert difference < 0.15 * (shifted - image)[:, inner, inner].abs().mean()
    assert motion.noise < 1


def test_similarity_falls_from_one():
    errors = torch.tensor([0.0, 1.0, 2.0, 4.0])
    similar = similarity(errors, 1.0, free=2.0, fall=2.0)
    torch.testing.assert_close(similar, torch.tensor([1.0, 1.0, 1.0, np.exp(-1)], dtype=torch.float32))


def test_the_nearest_other_picture_to_each_side():
    assert other_pictures({-2: 21.0, -1: 20.0, 1: 19.0, 2: 22.0}) == [-1, 1]
    assert other_pictures({-3: 20.0, -2: 20.0, -1: 0.1, 1: 0.2, 2: 0.1, 3: 18.0}) == [-2, 3]
    assert other_pictures({-1: float("nan"), 1: 4.0}) == [1]
    assert other_pictures({1: 0.0, 2: 0.0}) == [1], "nothing changes at all"
    assert other_pictures({1: 1.0, 2: 4.0, 3: 9.0}) == [1], "it moves faster and faster"
