"""Networks that enlarge pictures, of spandrel's own classes, with random weights and few channels."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from vidrestore.upscale.network import EnlargingNetwork, build_enlarger


def span(scale: int = 2) -> nn.Module:
    """SPAN."""
    network = pytest.importorskip("spandrel.architectures.SPAN").SPAN
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        made = network(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=scale)
        for parameter in made.parameters():
            parameter.data *= 0.7  # without, most of what it makes is beyond black and white
        return made


def compact(scale: int = 2, layers: int = 3, seed: int = 0) -> nn.Module:
    """The network of realesr-general-x4v3."""
    network = pytest.importorskip("spandrel.architectures.Compact").Compact
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return network(num_feat=8, num_conv=layers, upscale=scale)


def rrdb(blocks: int = 8) -> nn.Module:
    """The network of RealESRGAN_x2plus, a third as deep."""
    network = pytest.importorskip("spandrel.architectures.ESRGAN").ESRGAN
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return network(in_nc=12, num_filters=8, num_blocks=blocks, scale=4, shuffle_factor=2)


def sharpening(scale: int = 2, strength: float = 3.0) -> nn.Module:
    """A network that makes each pixel of the picture differ from those around it ``strength`` times as much,
    and noise with it."""
    made = compact(scale, layers=0)
    first, last = made.body[0], made.body[-1]
    for layer in (first, last):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    made.body[1].weight.data.fill_(1.0)  # the activation lets everything pass
    for channel in range(3):
        first.weight.data[channel, channel] = -1 / 9
        first.weight.data[channel, channel, 1, 1] += 1
        rows = range(channel * scale**2, (channel + 1) * scale**2)
        last.weight.data[[*rows], channel, 1, 1] = strength
    return made


def enlarging(network: nn.Module) -> EnlargingNetwork:
    """It, ready to run."""
    return EnlargingNetwork(build_enlarger([network.state_dict()], 1.0, "a test"))


def save(network: nn.Module, path: Path) -> Path:
    """Write it as its authors publish it."""
    torch.save({"params": network.state_dict()}, path)
    return path
