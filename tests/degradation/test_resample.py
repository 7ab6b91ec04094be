"""Blur and resizing as matrix products."""

import pytest
import torch

from vidrestore.degradation.resample import multiply, resample, resize_matrix, shrink_matrix


@pytest.mark.parametrize("mode", ["area", "bilinear", "bicubic"])
@pytest.mark.parametrize(("size", "out"), [(512, 400), (512, 30), (40, 512), (300, 512), (512, 512)])
def test_skipping_zeros_changes_nothing(size: int, out: int, mode: str) -> None:
    x = 255 * torch.rand(3, size, 20, generator=torch.Generator().manual_seed(0))
    for sigma in (0.0, 1.5, 12.0):
        matrix = shrink_matrix(size, out, sigma, mode)
        assert matrix.shape == (out, size)
        torch.testing.assert_close(matrix.sum(dim=1), torch.ones(out), rtol=0, atol=1e-5)
        torch.testing.assert_close(multiply(matrix, x), matrix @ x, rtol=0, atol=1e-3)


def test_resizing_agrees_with_pytorch() -> None:
    x = 255 * torch.rand(3, 512, 512, generator=torch.Generator().manual_seed(0))
    for out, mode in ((300, "bicubic"), (410, "bilinear")):
        matrix = resize_matrix(512, out, mode)
        expected = torch.nn.functional.interpolate(x[None], size=(out, out), mode=mode, antialias=True)[0]
        torch.testing.assert_close(resample(x, matrix, matrix), expected, rtol=0, atol=1e-2)
