"""Networks that enlarge: tiles without seams, and files that are refused."""

from __future__ import annotations

import pytest
import torch

from tests.support import upscalers
from tests.support.other_networks import restoreformer
from vidrestore.errors import WeightsError
from vidrestore.upscale.network import build_enlarger

PICTURE = torch.rand(3, 90, 117, generator=torch.Generator().manual_seed(1))


def in_tiles(network, picture, tile):
    height = picture.shape[1]
    bands = [(top, min(top + tile, height)) for top in range(0, height, tile)]
    rows = [network.rows(lambda a, b: picture[:, a:b], height, *band, tile=tile) for band in bands]
    return torch.cat(rows, dim=1)


@pytest.mark.parametrize(
    ("make", "factor", "convolutions"),
    [
        (upscalers.span, 2, 21),
        (lambda: upscalers.compact(4), 4, 5),
        (lambda: upscalers.compact(3, layers=6), 3, 8),
    ],
)
@pytest.mark.parametrize("tile", [32, 48])
def test_tiles_make_the_picture_that_the_network_makes_of_the_whole(make, factor, convolutions, tile):
    made = make().eval()
    network = upscalers.enlarging(made)
    with torch.inference_mode():
        whole = made(PICTURE[None])[0].clamp(0, 1)
        tiled = in_tiles(network, PICTURE, tile)
    assert tiled.shape == (3, 90 * factor, 117 * factor)
    assert network.factor == factor
    assert 4 <= network.overlap <= convolutions  # of 3 x 3 each, one after the other
    assert (tiled - whole).abs().max() < 1e-5


def test_a_network_that_looks_at_everything_is_given_enough():
    """Its 124 convolutions look at 250 pixels to each side, and nearly nothing of that matters."""
    made = upscalers.rrdb()
    for name, parameter in made.named_parameters():
        if "RDB" in name and name.endswith("weight"):
            parameter.data *= 1.5  # so that more does
    network = upscalers.enlarging(made)
    assert 8 < network.overlap <= 64
    with torch.inference_mode():
        whole = build_enlarger([made.state_dict()], 1.0, "x")(PICTURE[None])[0]
        assert (in_tiles(network, PICTURE, 48) - whole).abs().max() < 0.5 / 255


def test_tiles_at_once_do_not_matter(monkeypatch):
    network = upscalers.enlarging(upscalers.span())
    alone = in_tiles(network, PICTURE, 32)
    monkeypatch.setattr("vidrestore.runtime.batching.network_workers", lambda: 3)
    assert torch.equal(in_tiles(network, PICTURE, 32), alone)


def test_a_partner_is_blended_in():
    first, second = (upscalers.compact(seed=seed).state_dict() for seed in (0, 1))
    blended = build_enlarger([first, second], 0.25, "x").model.state_dict()
    for key, x in blended.items():
        assert torch.allclose(x, 0.25 * first[key] + 0.75 * second[key], atol=1e-6)
    with pytest.raises(WeightsError, match="x and its partner have other tensors"):
        build_enlarger([first, upscalers.compact(4).state_dict()], 0.5, "x")


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (lambda: {"a": torch.ones(2)}, "x holds the weights of no network that is known here; give those of"),
        (
            lambda: restoreformer().state_dict(),
            "x is RestoreFormer, which does not enlarge pictures; a face restorer is",
        ),
        (lambda: upscalers.compact(1).state_dict(), "x is RealESRGAN Compact, which does not enlarge"),
    ],
)
def test_other_weights_are_refused(state, message):
    with pytest.raises(WeightsError, match=message):
        build_enlarger([state()], 1.0, "x")


def test_grey_pictures_are_not_enough():
    network = pytest.importorskip("spandrel.architectures.Compact").Compact
    grey = network(num_in_ch=1, num_out_ch=1, num_feat=4, num_conv=1, upscale=2)
    with pytest.raises(WeightsError, match="does not take and give RGB pictures"):
        build_enlarger([grey.state_dict()], 1.0, "x")
