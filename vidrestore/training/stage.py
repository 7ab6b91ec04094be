"""What the three stages have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vidrestore.measure.perceptual import PerceptualDistance
from vidrestore.restore.codeformer import CodeFormer

from .losses import gradient_loss, perceptual_on_crops


class Stage(nn.Module):
    """One stage of the training: which parameters learn, and from what loss.

    What a stage owns beside the model (averages, a teacher) are its buffers and modules, and travel
    in the checkpoint. ``settings`` are the stage's numbers from the configuration.
    """

    name: ClassVar[str]
    #: Whether the stage needs degraded faces.
    degraded: ClassVar[bool] = True

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = dict(settings)

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        """Parameters that learn, with the factor (``scale``) of the learning rate they learn at."""
        raise NotImplementedError

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """The loss of one batch (N, 3, S, S) in [-1, 1], and figures for the log.

        With several processes this is one's share of the batch. Random numbers are drawn from
        ``generator`` for the whole batch, so that all processes are at the same place in its sequence and
        together draw what a single one would.
        """
        raise NotImplementedError


class ImageLoss(nn.Module):
    """L1, its like on gradients, and the perceptual distance on crops at every second step.

    ``settings``: ``gradient`` and ``perceptual``, the weights beside L1's 1; ``perceptual_net``, "alex" or
    "vgg"; ``crop``, the side in pixels of what that network sees.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.gradient = settings["gradient"]
        self.perceptual = settings["perceptual"]
        self.crop = settings["crop"]
        # Not a submodule: its weights are the package's, and no part of a checkpoint.
        self.distance = [PerceptualDistance(settings["perceptual_net"]).to(memory_format=torch.channels_last)]

    def forward(
        self, x: Tensor, target: Tensor, step: int, generator: torch.Generator, weight: Tensor | float = 1.0
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """``weight`` (N,) or a number scales the perceptual part."""
        l1 = (x - target).abs().mean()
        total = l1 + self.gradient * gradient_loss(x, target).mean()
        figures: dict[str, Tensor | float] = {"l1": l1.detach()}
        if step % 2 == 0:
            distance = self.distance[0].to(x.device)
            found = perceptual_on_crops(distance, x, target, size=self.crop, generator=generator)
            total = total + self.perceptual * 2 * (weight * found).mean()
            figures["perceptual"] = found.detach().mean()
        return total, figures
