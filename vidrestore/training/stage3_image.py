"""Stage III for a network whose feature transformation is at the image: small, and trained on parts of faces.

Encoder, transformer and generator stay as they are. What learns is the correction that ``w = 1`` adds to the
input and the detail that smaller ``w`` adds to that; every part of a face teaches both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..measure.perceptual import PerceptualDistance
from ..restoration.codeformer import CodeFormer
from .adversarial import Adversary
from .distributed import share, world
from .losses import gradient_loss
from .stage import Stage

#: Every so many steps the parts are twice as large, and a quarter as many, to learn from what is around.
_LARGE_EVERY = 4
#: Every so many steps the perceptual network sees half as many parts at their full size, else at half of it:
#: the size that most faces in videos have, and a quarter of the cost.
_FULL_EVERY = 8
#: Mean error of an input, of 2, for which the perceptual distance counts in full at w = 1 and at w = 0; for a
#: worse one it counts less, since there it buys edges at the cost of the person, for a better one up to this
#: much more.
_USUAL, _MOST_TRUST = (0.05, 0.07), (1.3, 1.0)
#: Averages over squares of so many pixels whose error is that of the face's structure, with their weights.
_STRUCTURE = {2: 0.5, 4: 1.0}


class ImageStage3(Stage):
    """At ``w = 1`` L1 with its like on gradients and colours and ``perceptual_one`` times the perceptual
    distance; at ``w = 0`` ``pixel_zero`` times the first, ``perceptual_zero`` times the distance and the
    adversarial loss; at both ``structure`` times the L1 of averages, which holds on to who it is while the
    perceptual distance puts detail in. ``w`` between them is linear.

    ``settings``: ``parts`` of ``part`` pixels a side are taken from each face. From step ``perceptual_start``
    on ``perceptual_parts`` of a batch are shown to the perceptual network (``perceptual_net``): not from the
    first, since what has not learnt to clean yet lowers that distance by patterns of dots. From
    ``adversarial_start`` on all are shown to the discriminator (``discriminator_channels``); its loss counts
    ``adversarial`` times the adaptive weight, and with 0 there is none.
    """

    name = "stage3"

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__(model, settings)
        # Not a submodule: its weights are the package's, and no part of a checkpoint.
        self.distance = [PerceptualDistance(settings["perceptual_net"]).to(memory_format=torch.channels_last)]
        self.adversary = Adversary.wanted(settings)
        #: Pixels of the input that a pixel of the generator's second finest features stands for.
        self.stride = model.config.image_size // model.config.sizes[1]

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        return [{"params": list(model.image_transform.parameters()), "scale": 1.0}]

    def optimisers(self) -> list[torch.optim.Optimizer]:
        return [] if self.adversary is None else [self.adversary.optimiser]

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        with torch.no_grad():
            encoding = model.encode(degraded)
            codes = model.predict(encoding.features).argmax(dim=-1)
            informed = model.inform(model.look_up(codes, encoding))
        large = step % _LARGE_EVERY == _LARGE_EVERY - 1
        clean, degraded, informed = self.cut(clean, degraded, informed, generator=generator, large=large)
        # Each part at both ends of w.
        transform = model.image_transform
        correction, detail = (x.float() for x in transform.parts(degraded, informed))
        ends = [transform.change(degraded, correction, detail, correction.new_tensor(w)) for w in (1.0, 0.0)]

        l1, pixel = zip(*(_pixel_loss(end, clean) for end in ends), strict=True)
        total = pixel[0] + self.settings["pixel_zero"] * pixel[1]
        total = total + self.settings["structure"] * sum(_structure_loss(end, clean) for end in ends)
        left = (degraded - clean).abs().mean(dim=(1, 2, 3))
        figures = {"l1": l1[0], "input": left.mean()}
        if step >= self.settings["perceptual_start"]:
            halved = step % _FULL_EVERY > 0
            count = self.settings["perceptual_parts"] * (1 if halved else 0.5)
            shown = slice(max(1, round(count)))
            distances = self._perceptual([end[shown] for end in ends], clean[shown], halved=halved)
            names = ("perceptual_one", "perceptual_zero")
            for name, distance, usual, most in zip(names, distances, _USUAL, _MOST_TRUST, strict=True):
                trust = (usual / left[shown]).clamp(max=most)
                total = total + self.settings[name] * (trust * distance).mean()
                figures[name] = distance.mean()
        if self.adversary is not None and step >= self.settings["adversarial_start"]:
            total, more = self.adversary.join(
                total, clean, ends[1], last=transform.last.weight, weight=self.settings["adversarial"]
            )
            figures |= more
        return total, {name: value.detach() for name, value in figures.items()}

    def cut(
        self, clean: Tensor, degraded: Tensor, informed: Tensor, *, generator: torch.Generator, large: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Parts of faces (N, 3, S, S) and of their features (N, C, S / stride, S / stride), at random places
        that are multiples of the stride; with ``large`` a quarter as many of twice the size."""
        side, count = self.settings["part"], self.settings["parts"]
        if large:
            side, count = min(2 * side, clean.shape[-1]), max(1, count // 4)
        places = torch.randint(
            0,
            (clean.shape[-1] - side) // self.stride + 1,
            (len(clean) * world(), count, 2),
            generator=generator,
        )
        corners = [(face, y, x) for face, some in enumerate(share(places).tolist()) for y, x in some]

        def take(images: Tensor, step: int) -> Tensor:
            size = side // self.stride * step
            cut = [
                images[i, :, y * step : y * step + size, x * step : x * step + size] for i, y, x in corners
            ]
            return torch.stack(cut).contiguous(memory_format=torch.channels_last)

        return take(clean, self.stride), take(degraded, self.stride), take(informed, 1)

    def _perceptual(self, images: list[Tensor], target: Tensor, *, halved: bool) -> tuple[Tensor, ...]:
        """The distances (N,) of each of ``images`` (N, 3, s, s) from ``target``."""
        distance = self.distance[0].to(target.device)
        if halved:
            images, target = [F.avg_pool2d(x, 2) for x in images], F.avg_pool2d(target, 2)
        with torch.no_grad():
            wanted = distance.features(target)
        found = distance.features(torch.cat(images))
        wanted = [torch.cat([w] * len(images)) for w in wanted]
        return distance.compare(found, wanted).chunk(len(images))


def _pixel_loss(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """L1, and what is to fall: L1, half of its like on gradients, and its like on the differences between the
    colours, where codecs and noise leave blotches that weigh little in the others."""
    l1, difference = F.l1_loss(x, target), x - target
    colour = difference - difference.mean(dim=1, keepdim=True)
    return l1, l1 + 0.5 * gradient_loss(x, target).mean() + colour.abs().mean()


def _structure_loss(x: Tensor, target: Tensor) -> Tensor:
    difference = x - target
    return sum(weight * F.avg_pool2d(difference, side).abs().mean() for side, weight in _STRUCTURE.items())
