"""The perceptual distance (LPIPS), with weights from an installed package, so that nothing is downloaded."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_MEAN = (-0.030, -0.088, -0.188)
_DEVIATION = (0.458, 0.448, 0.450)

#: Output channels of the 3 x 3 convolutions of VGG16, grouped by its pooling layers.
_VGG = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class _BlurPool(nn.Module):
    """Blurs by (1, 2, 1) in both directions and keeps every second value, with the border reflected by two
    pixels (Zhang, 2019).

    Computed as a matrix product for each direction: in bf16 on a CPU, a depthwise convolution and its
    gradient take three to five times as long.
    """

    def forward(self, x: Tensor) -> Tensor:
        count, channels, height, width = x.shape
        rows, columns = (_blur_matrix(side, x.device, x.dtype) for side in (height, width))
        x = x.permute(0, 2, 3, 1)
        x = (rows @ x.reshape(count, height, -1)).unflatten(2, (width, channels))
        return (columns @ x).permute(0, 3, 1, 2)


@cache
def _blur_matrix(side: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """The matrix of :class:`_BlurPool` along one direction, which keeps every second of ``side`` + 1 values:
    ((side + 1) // 2 + 1, side), one row less if ``side`` is even."""
    with torch.inference_mode(False):  # it is kept, for later gradients too
        index = torch.arange(-2, side + 2).abs()
        index = (side - 1) - ((side - 1) - index).abs()  # reflected at both ends
        taps = F.one_hot(index, side).float().unfold(0, 3, 2)
        return (taps @ torch.tensor([0.25, 0.5, 0.25])).to(device, dtype)


class PerceptualDistance(nn.Module):
    """LPIPS on the shift-tolerant networks of Ghildyal and Liu (ECCV 2022), frozen.

    ``net`` is "alex" or "vgg". The weights are read from the package ``stlpips-pytorch``; its code, which
    needs more packages, is not imported. Raises ImportError if the package is not installed.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, net: str = "alex") -> None:
        super().__init__()
        spec = find_spec("stlpips_pytorch")
        if spec is None or spec.origin is None:
            raise ImportError("the perceptual distance needs another package: pip install stlpips-pytorch")
        path = Path(spec.origin).parent / "weights" / "vST0.0" / f"{net}_shift_tolerant.pth"
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.slices = nn.ModuleList(_alex() if net == "alex" else _vgg())
        trained = [k for k in state if k.startswith("net.") and not k.endswith("filt")]
        convolutions = [m for m in self.modules() if isinstance(m, nn.Conv2d)]
        for module, weight, bias in zip(convolutions, trained[::2], trained[1::2], strict=True):
            module.load_state_dict({"weight": state[weight], "bias": state[bias]})
        for i in range(5):
            self.register_buffer(f"head{i}", state[f"lin{i}.model.1.weight"])
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1))
        self.requires_grad_(False)

    def features(self, x: Tensor) -> list[Tensor]:
        """Map a batch (N, 3, H, W) in [-1, 1] to the features of five layers.

        Each is (N, C, h, w), normalised to length 1 over the channels.
        """
        x = (x - self.mean) / self.deviation
        features = []
        for part in self.slices:
            x = part(x)
            # The epsilon is inside the root, whose slope is infinite at 0, where all features are 0.
            norm = (x.float().square().sum(dim=1, keepdim=True) + 1e-12).sqrt()
            features.append((x / norm).to(x))
        return features

    def compare(self, features: list[Tensor], references: list[Tensor]) -> Tensor:
        """Return the distances (N,) of two results of :meth:`features`; ``references`` may have one image."""
        total = features[0].new_zeros(len(features[0]), dtype=torch.float32)
        for i, (a, b) in enumerate(zip(features, references, strict=True)):
            head = getattr(self, f"head{i}")
            total = total + F.conv2d((a - b).square(), head.to(a)).float().mean(dim=(1, 2, 3))
        return total

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        """Return the distances (N,) of two batches (N, 3, H, W) in [-1, 1]."""
        with torch.no_grad():
            references = self.features(target)
        return self.compare(self.features(x), references)


def _alex() -> list[nn.Sequential]:
    relu = nn.ReLU
    return [
        nn.Sequential(nn.Conv2d(3, 64, 11, padding=2), _BlurPool(), relu()),
        nn.Sequential(nn.MaxPool2d(3, 1), _BlurPool(), nn.Conv2d(64, 192, 5, padding=2), relu()),
        nn.Sequential(nn.MaxPool2d(3, 1), _BlurPool(), nn.Conv2d(192, 384, 3, padding=1), relu()),
        nn.Sequential(nn.Conv2d(384, 256, 3, padding=1), relu()),
        nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), relu()),
    ]


def _vgg() -> list[nn.Sequential]:
    slices, channels = [], 3
    for level, widths in enumerate(_VGG):
        layers: list[nn.Module] = [nn.MaxPool2d(2, 1), _BlurPool()] if level else []
        for width in widths:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
            channels = width
        slices.append(nn.Sequential(*layers))
    return slices
