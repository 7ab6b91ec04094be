"""Luma along any dimension."""

from __future__ import annotations

import torch

from vidrestore.restoration.luma import luma


def test_the_weights_are_those_of_bt_601_and_add_up_to_one():
    colours = torch.eye(3)
    torch.testing.assert_close(luma(colours, 0), torch.tensor([0.299, 0.587, 0.114]))
    torch.testing.assert_close(luma(torch.full((2, 3, 4, 4), 0.7), 1), torch.full((2, 4, 4), 0.7))
