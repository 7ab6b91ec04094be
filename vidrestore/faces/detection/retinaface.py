"""The detector's network: facexlib's RetinaFace (Deng et al., "RetinaFace: Single-stage Dense Face
Localisation in the Wild", 2019), run in batches, and its output reduced to candidate faces."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ...runtime.batching import per_sample_on_cpu
from ...runtime.cuda_streams import upload
from ...runtime.uninitialised import Uninitialised

if TYPE_CHECKING:
    from facexlib.detection.retinaface import RetinaFace

Backbone = Literal["mobile0.25", "resnet50"]

MEAN_BGR = (104.0, 117.0, 123.0)  #: subtracted from the input, as in the training of both backbones


@dataclass(frozen=True, slots=True)
class Candidates:
    """The M anchors of a batch of images whose score exceeds a threshold, unordered, on the CPU."""

    image: torch.Tensor  #: (M,) int64: index of the image in the batch
    scores: torch.Tensor  #: (M,) float32 in [0, 1]
    boxes: torch.Tensor  #: (M, 4) float32: x0, y0, x1, y1 in pixels of the image
    landmarks: torch.Tensor  #: (M, 5, 2) float32 in pixels of the image


class CandidateNetwork:
    """RetinaFace with given weights, ready for inference on one device.

    ``state`` has the keys of facexlib's ``RetinaFace``; a leading ``module.``, as in the published ResNet-50
    file, is ignored. Raises RuntimeError for weights of another network.
    """

    def __init__(self, backbone: Backbone, state: dict[str, torch.Tensor], *, device: torch.device) -> None:
        self.device = device
        network = _empty_network(backbone)
        network.load_state_dict({key.removeprefix("module."): value for key, value in state.items()})
        config = network.cfg
        self._anchors_of = config["name"]
        self._variances = config["variance"]
        # Batch norms folded into convolutions and channels last: little more than half the time on a CPU.
        _fold_batch_norms(network)
        self._network = network.to(device).to(memory_format=torch.channels_last).eval()
        self._mean = torch.tensor(MEAN_BGR, device=device).view(1, 3, 1, 1)
        self._forward = per_sample_on_cpu(self._outputs, device)
        #: (height, width) of the latest images, and their anchors on the device: a video has one size.
        self._anchors: tuple[tuple[int, int], torch.Tensor] | None = None

    @torch.inference_mode()
    def __call__(self, images: np.ndarray, threshold: float) -> Candidates:
        """Return the candidates of ``images``, (N, H, W, 3) uint8 BGR, that score above ``threshold``."""
        from facexlib.detection.retinaface_utils import decode, decode_landm

        height, width = images.shape[1:3]
        # A contiguous copy, whatever the strides of the array; permuted to NCHW it is channels last.
        batch = upload(np.array(images, order="C"), self.device).permute(0, 3, 1, 2)
        offsets, probabilities, landmark_offsets = self._forward(batch)

        image, anchor = torch.nonzero(probabilities[..., 1] > threshold, as_tuple=True)
        if self._anchors is None or self._anchors[0] != (height, width):
            priors = _priors(self._anchors_of, height, width).to(self.device)
            self._anchors = (height, width), priors
        priors = self._anchors[1][anchor]
        size = torch.tensor([width, height], dtype=torch.float32, device=self.device)
        boxes = decode(offsets[image, anchor], priors, self._variances) * size.repeat(2)
        landmarks = decode_landm(landmark_offsets[image, anchor], priors, self._variances)
        return Candidates(
            image=image.cpu(),
            scores=probabilities[image, anchor, 1].cpu(),
            boxes=boxes.cpu(),
            landmarks=(landmarks.view(-1, 5, 2) * size).cpu(),
        )

    def _outputs(self, batch: torch.Tensor) -> Sequence[torch.Tensor]:
        return self._network(batch.float() - self._mean)


def _empty_network(backbone: Backbone) -> RetinaFace:
    from facexlib.detection.retinaface import RetinaFace

    with Uninitialised(), warnings.catch_warnings():
        # facexlib passes a deprecated argument to torchvision's ResNet, which is harmless.
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision.models")
        return RetinaFace(network_name=backbone, device=torch.device("cpu")).requires_grad_(False)


def _fold_batch_norms(module: nn.Module) -> None:
    """Fold, in place, every batch norm that directly follows a convolution into that convolution."""
    for (name, first), (after, second) in pairwise(list(module.named_children())):
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(first, second))
            setattr(module, after, nn.Identity())
    for child in module.children():
        _fold_batch_norms(child)


@lru_cache(maxsize=8)
def _priors(name: str, height: int, width: int) -> torch.Tensor:
    """Anchors (A, 4) of an image of this size. Cached: facexlib's loop takes as long as the network."""
    from facexlib.detection.retinaface import generate_config
    from facexlib.detection.retinaface_utils import PriorBox

    network = {"mobilenet0.25": "mobile0.25", "Resnet50": "resnet50"}[name]
    return PriorBox(generate_config(network), image_size=(height, width)).forward()
