"""The binomial filter."""

from __future__ import annotations

import torch

from vidrestore.restoration.binomial import binomial


def test_it_removes_what_alternates_from_pixel_to_pixel():
    y, x = torch.meshgrid(torch.arange(8), torch.arange(6), indexing="ij")
    board = ((x + y) % 2).float()[None, None]
    torch.testing.assert_close(binomial(board)[..., 1:-1, 1:-1], torch.full((1, 1, 6, 4), 0.5))
    step = (x > 2).float()[None, None]
    assert binomial(step)[0, 0, 3].tolist() == [0, 0, 0.25, 0.75, 1, 1]
    assert binomial(step.transpose(2, 3)).equal(binomial(step).transpose(2, 3))
