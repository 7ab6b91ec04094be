"""Everything that is measured of a picture of a face against the clean one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .identity import IdentityEmbedding
from .image_metrics import ms_ssim, psnr, ssim
from .perceptual import PerceptualDistance

#: Side in pixels that faces are reduced to for the perceptual distances, whose networks run their first
#: layers at full size: at 512 a picture takes them several seconds of one core.
PERCEPTUAL_SIZE = 256

NETS = ("alex", "vgg")


@dataclass(frozen=True)
class Reference:
    """A clean face, and what was computed of it once for all pictures that are compared with it."""

    picture: np.ndarray  #: (S, S, 3) uint8
    layers: dict[str, list[Tensor]]
    embedding: np.ndarray
    features: np.ndarray  #: (D,)


@dataclass(frozen=True)
class Comparison:
    """What was measured of M pictures of one face."""

    figures: dict[str, np.ndarray]  #: psnr, ssim, ms_ssim, alex, vgg, identity: (M,) each
    features: np.ndarray  #: (M, D): VGG's deepest features, averaged over the face, for a Fréchet distance


class FaceMeter:
    """Measures pictures of aligned faces, (3, S, S) RGB uint8, on ``device``. ImportError names the package
    that is missing, if one is."""

    def __init__(self, *, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)
        self._nets = {
            net: PerceptualDistance(net).eval().to(self._device, memory_format=torch.channels_last)
            for net in NETS
        }
        self._embed = IdentityEmbedding()

    def reference(self, clean: Tensor) -> Reference:
        """What is to be known of a clean face."""
        layers = self._layers(clean[None])
        picture = _rows(clean)
        return Reference(picture, layers, self._embed([picture])[0], _pooled(layers)[0])

    def compare(self, pictures: Tensor, reference: Reference) -> Comparison:
        """Pictures (M, 3, S, S) of the face ``reference``."""
        rows = [_rows(picture) for picture in pictures]
        layers = self._layers(pictures)
        figures = {
            "psnr": np.array([psnr(row, reference.picture) for row in rows]),
            "ssim": np.array([ssim(row, reference.picture) for row in rows]),
            "ms_ssim": np.array([ms_ssim(row, reference.picture) for row in rows]),
        }
        for name, net in self._nets.items():
            figures[name] = net.compare(layers[name], reference.layers[name]).cpu().numpy()
        figures["identity"] = np.linalg.norm(self._embed(rows) - reference.embedding, axis=1)
        return Comparison(figures, _pooled(layers))

    @torch.inference_mode()
    def _layers(self, pictures: Tensor) -> dict[str, list[Tensor]]:
        x = pictures.to(self._device).float() / 127.5 - 1
        if x.shape[-1] > PERCEPTUAL_SIZE:
            x = F.interpolate(x, size=PERCEPTUAL_SIZE, mode="area")
        x = x.contiguous(memory_format=torch.channels_last)
        return {name: net.features(x) for name, net in self._nets.items()}


def _rows(picture: Tensor) -> np.ndarray:
    return np.ascontiguousarray(picture.permute(1, 2, 0).cpu().numpy())


def _pooled(layers: dict[str, list[Tensor]]) -> np.ndarray:
    return layers["vgg"][-1].mean(dim=(2, 3)).cpu().numpy()
