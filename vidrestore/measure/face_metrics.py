"""All metrics of an aligned face against the clean one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..faces.identity.embedding import IdentityEmbedding
from .image_metrics import ms_ssim, psnr, ssim
from .images import to_rows
from .perceptual import PerceptualDistance

#: Side in pixels to which faces are downscaled for the perceptual distances. The first layers of their
#: networks run at full resolution: at 512 pixels, one image takes several seconds on one core.
PERCEPTUAL_SIZE = 256

#: Networks of the perceptual distance.
NETS = ("alex", "vgg")


@dataclass(frozen=True)
class CleanFace:
    """A clean face and its features, computed once for all images that are compared with it."""

    image: np.ndarray  #: (S, S, 3) RGB uint8
    #: For each network the features of its layers, (1, C, h, w) each: of the face, and of the face mirrored
    #: top to bottom.
    layers: dict[str, tuple[list[Tensor], list[Tensor]]]
    embedding: np.ndarray  #: (128,) identity embedding
    features: np.ndarray  #: (D,) VGG's deepest features, averaged over the face


@dataclass(frozen=True)
class FaceComparison:
    """The metrics of M images of one face."""

    figures: dict[str, np.ndarray]  #: psnr, ssim, ms_ssim, alex, vgg, identity: (M,) each
    features: np.ndarray  #: (M, D): VGG's deepest features, averaged over the face, for the Fréchet distance


class FaceMeter:
    """Measures aligned faces, (3, S, S) RGB uint8, on ``device``.

    A perceptual distance is the mean of that of the face and of the face mirrored top to bottom: a model that
    learned from the same network has only met upright faces there, and may draw lines that lower the distance
    that way alone.

    Raises ImportError if a package is not installed; the message names it.
    """

    def __init__(self, *, device: torch.device | str = "cpu") -> None:
        self._device = torch.device(device)
        self._nets = {
            net: PerceptualDistance(net).eval().to(self._device).to(memory_format=torch.channels_last)
            for net in NETS
        }
        self._embed = IdentityEmbedding()

    def clean_face(self, clean: Tensor) -> CleanFace:
        """Compute the features of a clean face (3, S, S) for later comparisons."""
        layers = self._layers(clean[None])
        image = to_rows(clean)
        return CleanFace(image, layers, self._embed([image])[0], _pooled(layers)[0])

    def compare(self, images: Tensor, clean: CleanFace) -> FaceComparison:
        """Compare images (M, 3, S, S) of a face with the clean one."""
        rows = [to_rows(image) for image in images]
        layers = self._layers(images)
        figures = {
            "psnr": np.array([psnr(row, clean.image) for row in rows]),
            "ssim": np.array([ssim(row, clean.image) for row in rows]),
            "ms_ssim": np.array([ms_ssim(row, clean.image) for row in rows]),
        }
        for name, net in self._nets.items():
            ways = zip(layers[name], clean.layers[name], strict=True)
            distances = [net.compare(found, wanted).cpu().numpy() for found, wanted in ways]
            figures[name] = np.mean(distances, axis=0)
        figures["identity"] = np.linalg.norm(self._embed(rows) - clean.embedding, axis=1)
        return FaceComparison(figures, _pooled(layers))

    @torch.inference_mode()
    def _layers(self, images: Tensor) -> dict[str, tuple[list[Tensor], list[Tensor]]]:
        x = images.to(self._device).float() / 127.5 - 1
        if x.shape[-1] > PERCEPTUAL_SIZE:
            x = F.interpolate(x, size=PERCEPTUAL_SIZE, mode="area")
        upright, mirrored = (y.contiguous(memory_format=torch.channels_last) for y in (x, x.flip(-2)))
        return {name: (net.features(upright), net.features(mirrored)) for name, net in self._nets.items()}


def _pooled(layers: dict[str, tuple[list[Tensor], list[Tensor]]]) -> np.ndarray:
    upright, _ = layers["vgg"]
    return upright[-1].mean(dim=(2, 3)).cpu().numpy()
