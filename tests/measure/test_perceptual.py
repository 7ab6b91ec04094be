"""The perceptual distance: the figures of stlpips-pytorch, and basic properties of a distance."""

import warnings
from importlib.util import find_spec

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidrestore.measure.perceptual import PerceptualDistance, _BlurPool

pytestmark = pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="no perceptual weights")


def image() -> Tensor:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    return torch.stack([torch.sin(9 * x), torch.cos(7 * y), x * y])[None] * 0.8


def damaged() -> Tensor:
    """The image with half the contrast, shifted, and in blocks of four pixels: (3, 3, 64, 64)."""
    clean = image()
    blocks = F.interpolate(F.avg_pool2d(clean, 4), scale_factor=4.0, mode="nearest")
    return torch.cat((clean * 0.5, clean.roll((2, 1), dims=(2, 3)), blocks))


#: Recorded from stlpips-pytorch 0.0.2: LPIPS(net=..., variant="shift_tolerant").
RECORDED = {
    "alex": [0.1817676, 0.0379184, 0.1583699],
    "vgg": [0.2849745, 0.0968305, 0.4379957],
}


@pytest.mark.parametrize("net", RECORDED)
def test_agrees_with_recorded_values(net: str) -> None:
    found = PerceptualDistance(net)(damaged(), image().expand(3, -1, -1, -1))
    assert found.tolist() == pytest.approx(RECORDED[net], rel=1e-4)


@pytest.mark.parametrize("net", RECORDED)
def test_agrees_with_the_package(net: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from stlpips_pytorch import stlpips
        except ImportError as error:  # its code imports packages that it does not declare
            pytest.skip(str(error))
    theirs = stlpips.LPIPS(net=net, variant="shift_tolerant", verbose=False)
    clean = image()
    with torch.no_grad():
        wanted = [theirs(x[None], clean).item() for x in damaged()]
    assert PerceptualDistance(net)(damaged(), clean).tolist() == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("net", RECORDED)
def test_grows_with_the_damage(net: str) -> None:
    distance, clean = PerceptualDistance(net), image()
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    found = [distance(clean + sigma * noise, clean).item() for sigma in (0.0, 0.05, 0.2)]
    assert found[0] == pytest.approx(0, abs=1e-6)
    assert found[0] < found[1] < found[2]


def test_the_gradient_is_finite_where_all_features_are_zero() -> None:
    distance = PerceptualDistance("alex")
    for module in distance.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    x = image().requires_grad_()
    distance(x, torch.zeros_like(x)).sum().backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize(("height", "width"), [(13, 8), (6, 31)])
def test_blur_pool_is_a_depthwise_convolution(height: int, width: int) -> None:
    x = torch.randn((2, 5, height, width), generator=torch.Generator().manual_seed(0))
    taps = torch.tensor([1.0, 2.0, 1.0])
    kernel = (torch.outer(taps, taps) / 16).expand(5, 1, 3, 3)
    expected = F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=5)
    torch.testing.assert_close(_BlurPool()(x), expected)


def test_a_gradient_follows_a_distance_in_inference_mode() -> None:
    distance = PerceptualDistance("alex")
    with torch.inference_mode():
        distance(image(), damaged()[:1])
    x = image().requires_grad_()
    distance(x, damaged()[:1]).sum().backward()
    assert x.grad.abs().max() > 0
