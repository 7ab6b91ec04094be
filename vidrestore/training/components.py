"""The loss of facial components, eyes and mouth: where errors are seen first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..faces.alignment.align import TEMPLATE, TEMPLATE_SIZE
from ..measure.perceptual import PerceptualDistance
from .adversarial import Adversary
from .image_loss import cut_square
from .losses import gradient_loss, turned

#: Sides in pixels of the squares around an eye and around the mouth of a face of 512 pixels.
_EYE, _MOUTH = 96, 128
#: The smallest faces, in pixels, whose eyes the perceptual network and the discriminator can take.
SMALLEST_FACE = 256
#: By how much images are downscaled for the discriminator, whose patches of 70 pixels then contain a mouth.
_FACTORS = {"eyes": 1, "mouth": 2}


class ComponentLoss(nn.Module):
    """L1 of pixels and gradients, the perceptual distance and an adversarial loss on squares around the eyes
    and the mouth of aligned faces (as Wang et al., "GFPGAN", CVPR 2021, section 3.4, and with its
    discriminators: one of eyes, right ones mirrored, and one of mouths).

    ``settings`` are those of :class:`.image_loss.ImageLoss`, for their weights, and ``components``, the
    weight of their sum.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = dict(settings)
        # In a list, so that it is not a submodule: its weights do not belong in checkpoints.
        self.distance = [PerceptualDistance(settings["perceptual_net"]).to(memory_format=torch.channels_last)]
        adversaries = {name: Adversary.wanted(settings) for name in _FACTORS}
        self.adversaries = nn.ModuleDict({k: v for k, v in adversaries.items() if v is not None})

    @classmethod
    def wanted(cls, settings: Mapping[str, Any]) -> ComponentLoss | None:
        """Return the loss if the settings of a stage give it a weight."""
        return cls(settings) if settings["components"] else None

    def optimisers(self) -> list[torch.optim.Optimizer]:
        adversaries: Any = self.adversaries.values()
        return [optimiser for adversary in adversaries for optimiser in adversary.optimisers]

    def forward(
        self,
        x: Tensor,
        target: Tensor,
        *,
        square: tuple[int, int, int],
        size: int,
        step: int,
        generator: torch.Generator,
        last: Tensor,
        weight: Tensor | float = 1.0,
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """Return what a step adds to the loss of ``x`` against ``target``, and figures for the log.

        Both are (N, 3, side, side) in [-1, 1], the ``square`` (left, top, side) of aligned faces of ``size``
        pixels. ``last`` are the weights of the last layer, for the adaptive weight; ``weight``, (N,) or a
        number, scales the perceptual and the adversarial loss. The discriminators are trained for one step.
        """
        settings = self.settings
        every = settings["perceptual_every"]
        perceptual = settings["perceptual"] if step % every == 0 else 0.0
        way = int(torch.randint(8, (), generator=generator))
        total, figures = x.new_zeros(()), {}
        fakes, reals = (components(image, square=square, size=size) for image in (x, target))
        for name, factor in _FACTORS.items():
            fake, real = fakes[name], reals[name]
            share = weight.repeat(len(fake) // len(x)) if isinstance(weight, Tensor) else weight
            loss = F.l1_loss(fake, real) + settings["gradient"] * gradient_loss(fake, real).mean()
            if perceptual and step >= settings["perceptual_start"]:
                found = self.distance[0].to(x.device)(turned(fake, way), turned(real, way))
                loss = loss + perceptual * every * (share * found).mean()
                figures[f"perceptual_{name}"] = found.detach().mean()
            if name in self.adversaries and step >= settings["adversarial_start"]:
                adversary: Any = self.adversaries[name]
                fake, real = F.avg_pool2d(fake, factor), F.avg_pool2d(real, factor)
                drawn = {"step": step, "settings": settings, "last": last, "share": share}
                loss, more = adversary.take_part(loss, real, fake, **drawn)
                figures[f"discriminator_{name}"] = more["discriminator"]
            total = total + loss
        return settings["components"] * total, figures


def components(x: Tensor, *, square: tuple[int, int, int], size: int) -> dict[str, Tensor]:
    """Cut the eyes, (2 N, 3, e, e), right ones mirrored, and the mouth, (N, 3, m, m), from ``x``
    (N, 3, side, side), the ``square`` (left, top, side) of aligned faces of ``size`` pixels."""
    scale = size / TEMPLATE_SIZE

    def cut(middle: np.ndarray, side: int) -> Tensor:
        side = round(side * scale)
        left, top = (
            round(at * scale - side / 2) - origin for at, origin in zip(middle, square[:2], strict=True)
        )
        return cut_square(x, (left, top, side))

    eyes = [cut(TEMPLATE[0], _EYE), cut(TEMPLATE[1], _EYE).flip(-1)]
    return {"eyes": torch.cat(eyes), "mouth": cut(TEMPLATE[3:].mean(axis=0), _MOUTH)}
