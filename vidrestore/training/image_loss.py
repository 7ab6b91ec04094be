"""The image losses that stages I and III share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..measure.perceptual import PerceptualDistance
from ..restoration.planes import in_order_of
from .adversarial import Adversary
from .distributed import share, world
from .losses import focus_map, gradient_loss, perceptual_on_crops


class ImageLoss(nn.Module):
    """L1 of pixels, of gradients and of images downscaled by 8, the perceptual distance on crops, and the
    adversarial loss on a crop of each face (Zhou et al., 2022, section 3.1).

    ``settings`` contains the weights relative to L1, ``gradient``, ``coarse``, ``perceptual`` and
    ``adversarial``; ``focus``, how much more L1, ``gradient`` and ``coarse`` count between eyes and mouth;
    ``perceptual_start`` and ``perceptual_every``, the first step of the perceptual distance and the interval
    of its steps, at which it counts once for each step of the interval; ``perceptual_net``, "alex" or "vgg";
    ``crop``, the side in pixels of the input of that network and of the discriminator;
    ``adversarial_start``, the step at which the discriminator starts; ``adversarial_alone``, the number of
    steps by which the adversarial loss follows it; and ``discriminator_channels``. The adversarial loss is
    also scaled by the adaptive weight. If ``adversarial`` is 0, there is no discriminator.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = dict(settings)
        # In a list, so that it is not a submodule: its weights do not belong in checkpoints.
        self.distance = [PerceptualDistance(settings["perceptual_net"]).to(memory_format=torch.channels_last)]
        self.adversary = Adversary.wanted(settings)

    def optimisers(self) -> list[torch.optim.Optimizer]:
        return [] if self.adversary is None else self.adversary.optimisers

    def forward(
        self,
        x: Tensor,
        target: Tensor,
        *,
        step: int,
        generator: torch.Generator,
        last: Tensor,
        weight: Tensor | float = 1.0,
        whole: bool = True,
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """Return the loss of ``x`` against ``target``, (N, 3, S, S) in [-1, 1] each, and figures for the log.

        ``last`` are the weights of the last trained layer, for the adaptive weight; ``weight``, (N,) or a
        number, scales the perceptual and the adversarial loss; ``whole`` says that they are whole faces,
        which have a focus. The discriminator, if any, is trained for one step.
        """
        weights = self.weights(x) if whole else 1.0
        l1 = ((x - target) * weights).abs().mean()
        total = l1 + self.settings["gradient"] * gradient_loss(x, target, weights).mean()
        if self.settings["coarse"]:
            total = total + self.settings["coarse"] * F.avg_pool2d((x - target) * weights, 8).abs().mean()
        figures: dict[str, Tensor | float] = {"l1": (x - target).detach().abs().mean()}
        crop = self.settings["crop"]
        every = self.settings["perceptual_every"]
        if step % every == 0 and step >= self.settings["perceptual_start"] and self.settings["perceptual"]:
            distance = self.distance[0].to(x.device)
            found = perceptual_on_crops(distance, x, target, size=crop, generator=generator)
            total = total + self.settings["perceptual"] * every * (weight * found).mean()
            figures["perceptual"] = found.detach().mean()
        if self.adversary is not None and step >= self.settings["adversarial_start"]:
            fake, real = parts(x, target, side=crop, generator=generator)
            total, more = self.adversary.take_part(
                total, real, fake, step=step, settings=self.settings, last=last, share=weight
            )
            figures |= more
        return total, figures

    def weights(self, x: Tensor) -> Tensor | float:
        """The weights of the pixels of faces ``x`` (N, 3, S, S) that ``focus`` asks for: (S, S), or 1."""
        if self.settings["focus"] == 1:
            return 1.0
        return focus_map(x.shape[-1], self.settings["focus"]).to(x)


def parts(*images: Tensor, side: int, generator: torch.Generator) -> list[Tensor]:
    """Crop each face at a random place, the same in all ``images``: (N, C, S, S) -> (N, C, side, side).

    Images of a multiple of the first ones' size S are cropped at the same place, to that multiple of
    ``side``. Smaller faces are returned unchanged.
    """
    count, size = len(images[0]), images[0].shape[-1]
    if size <= side:
        return list(images)
    places = torch.randint(0, size - side + 1, (count * world(), 2), generator=generator)
    corners = share(places).tolist()

    def cut(image: Tensor) -> Tensor:
        step = image.shape[-1] // size
        spans = [[slice(at * step, (at + side) * step) for at in corner] for corner in corners]
        crops = [face[:, y, x] for face, (y, x) in zip(image, spans, strict=True)]
        return in_order_of(torch.stack(crops), image)

    return [cut(image) for image in images]


def cut_square(x: Tensor, square: tuple[int, int, int]) -> Tensor:
    """Crop all of (N, C, S, S) to the same square (left, top, side)."""
    left, top, side = square
    return x[:, :, top : top + side, left : left + side]
