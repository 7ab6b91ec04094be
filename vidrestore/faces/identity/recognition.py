"""dlib's face recognition network in torch, through which a loss has a gradient.

The network is a ResNet with 29 convolutions that maps a face of 150 x 150 pixels to 128 numbers (King, "High
quality face recognition with deep metric learning", 2017). Its weights are dlib's own file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import InputError

#: What dlib subtracts from R, G and B of 0 to 255, and divides by.
_MEAN, _SCALE = (122.782, 117.001, 104.298), 256.0
#: Channels of the residual blocks, and whether each halves the side.
_BLOCKS = (
    *[(32, False)] * 3,
    *[(64, True), (64, False), (64, False), (64, False)],
    *[(128, True), (128, False), (128, False)],
    *[(256, True), (256, False), (256, False)],
    (256, True),
)
_EMBEDDING = 128
#: What comes before the weights of a layer in dlib's file: the name of a convolution, of a scale with an
#: offset, or of the last layer, with its 128 outputs and 256 inputs.
_LAYER = re.compile(rb"con_4|affine_|fc_2\x01\x80\x02\x00\x01")


class _Block(nn.Module):
    """Two convolutions, each followed by a scale and an offset, beside a path that leaves its input as it is
    or averages it; where the two differ in size, zeros are added to the smaller one."""

    def __init__(self, before: int, channels: int, *, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.first = nn.Conv2d(before, channels, 3, stride=2 if halves else 1, padding=0 if halves else 1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(F.relu(self.first(x)))
        if self.halves:
            x = F.avg_pool2d(x, 2)
        sizes = [max(a, b) for a, b in zip(x.shape[1:], y.shape[1:], strict=True)]
        x, y = (_enlarged(z, *sizes) for z in (x, y))
        return F.relu(x + y)


def _enlarged(x: Tensor, channels: int, height: int, width: int) -> Tensor:
    """Add channels, rows and columns of zeros at the end of (N, C, H, W)."""
    return F.pad(x, (0, width - x.shape[3], 0, height - x.shape[2], 0, channels - x.shape[1]))


class RecognitionNetwork(nn.Module):
    """Maps faces (N, 3, 150, 150), RGB in [-1, 1], to embeddings (N, 128).

    ``path`` is dlib's file ``dlib_face_recognition_resnet_model_v1.dat``. The weights are frozen. Raises
    InputError if the file is another one.
    """

    mean: Tensor

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 32, 7, stride=2)
        channels = 32
        blocks = []
        for wanted, halves in _BLOCKS:
            blocks.append(_Block(channels, wanted, halves=halves))
            channels = wanted
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(channels, _EMBEDDING, bias=False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self._load(path)
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = ((x + 1) * 127.5 - self.mean) / _SCALE
        x = F.max_pool2d(F.relu(self.first(x)), 3, 2)
        return self.last(self.blocks(x).mean(dim=(2, 3)))

    @torch.no_grad()
    def _load(self, path: Path) -> None:
        tensors = _tensors(path.read_bytes())
        try:
            for layer in self.modules():  # in the order of computation
                if not isinstance(layer, nn.Conv2d):
                    continue
                assert layer.bias is not None
                weights, biases = next(tensors).split([layer.weight.numel(), layer.out_channels])
                scale, offset = next(tensors).split([layer.out_channels] * 2)
                # dlib scales what the convolution gives; a convolution with other weights gives the same.
                layer.weight.copy_(weights.view_as(layer.weight) * scale.view(-1, 1, 1, 1))
                layer.bias.copy_(biases * scale + offset)
            self.last.weight.copy_(next(tensors).view(self.last.in_features, -1).T)
        except (RuntimeError, StopIteration, IndexError, ValueError):
            raise InputError(f"{path} is not dlib's face recognition network, or is damaged") from None


def _tensors(data: bytes) -> Iterator[Tensor]:
    """Yield the weights of the layers in the order of computation, flat, from a file of dlib's.

    The weights are a version, four sizes, then float32.
    """
    at = 0
    while found := _LAYER.search(data, at):
        at = found.end()
        _, at = _integer(data, at)
        sizes = []
        for _ in range(4):
            size, at = _integer(data, at)
            sizes.append(size)
        count = math.prod(sizes)
        yield torch.from_numpy(np.frombuffer(data, "<f4", count, at).copy())
        at += 4 * count


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of dlib's, a byte with its length and then its bytes: it, and where it ends."""
    end = at + 1 + data[at]
    return int.from_bytes(data[at + 1 : end], "little"), end
