"""Stage III for a small network whose CFT is at image level, trained on crops of faces.

The encoder, transformer and generator are frozen. Trained are the correction that is added to the input at
``w = 1``, and the detail that is added for smaller ``w``; every crop trains both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..measure.perceptual import PerceptualDistance
from ..restoration.codeformer import CodeFormer
from ..restoration.planes import in_order_of
from .adversarial import Adversary
from .distributed import share, world
from .losses import gradient_loss
from .stage import Stage

#: Every this many steps, crops are twice as large and a quarter as many, to train with more context.
_LARGE_EVERY = 4
#: Every this many steps, the perceptual network gets half as many crops at full size; otherwise it gets them
#: at half size, which is the size of most faces in videos and costs a quarter.
_FULL_EVERY = 8
#: Mean error of an input, of 2, for which the perceptual distance has its full weight, at w = 1 and at w = 0.
#: For worse inputs its weight is lower, because there it gains edges at the cost of identity; for better
#: inputs it is higher, by at most these factors.
_USUAL, _MOST_TRUST = (0.05, 0.07), (1.3, 1.0)
#: Sides in pixels of the squares that are averaged for the structure loss, with their weights.
_STRUCTURE = {2: 0.5, 4: 1.0}


class ImageStage3(Stage):
    """The losses at both ends of ``w``; in between, the output is linear in ``w``.

    - At ``w = 1``: L1 of pixels, gradients and colour differences, plus ``perceptual_one`` times the
      perceptual distance.
    - At ``w = 0``: ``pixel_zero`` times the former, ``perceptual_zero`` times the distance, and the
      adversarial loss.
    - At both: ``structure`` times the L1 of local averages, which preserves identity while the perceptual
      distance adds detail.

    From each face ``parts`` crops of ``part`` pixels are taken. From step ``perceptual_start``,
    ``perceptual_parts`` crops of a batch, evenly apart, go to the perceptual network (``perceptual_net``):
    not earlier, because a network that does not remove degradations yet reduces that distance by patterns of
    dots. From step ``adversarial_start``, all crops go to the discriminator (``discriminator_channels``). Its
    loss has the weight ``adversarial`` times the adaptive weight; with 0 there is no discriminator.
    """

    name = "stage3"

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__(model, settings)
        # In a list, so that it is not a submodule: its weights do not belong in checkpoints.
        self.distance = [PerceptualDistance(settings["perceptual_net"]).to(memory_format=torch.channels_last)]
        self.adversary = Adversary.wanted(settings)
        #: Pixels of the input per pixel of the generator's second-finest features.
        self.stride = model.config.image_size // model.config.sizes[1]

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        assert model.image_transform is not None
        return [{"params": list(model.image_transform.parameters()), "scale": 1.0}]

    def optimisers(self) -> list[torch.optim.Optimizer]:
        return [] if self.adversary is None else self.adversary.optimisers

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        with torch.no_grad():
            encoding = model.encode(degraded)
            codes = model.predict(encoding.features).argmax(dim=-1)
            informed = model.inform(model.look_up(codes, encoding))
        large = step % _LARGE_EVERY == _LARGE_EVERY - 1
        clean, degraded, informed = self.cut(clean, degraded, informed, generator=generator, large=large)
        # Each crop at both ends of w.
        transform = model.image_transform
        assert transform is not None
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
            chosen = _evenly(max(1, round(count)), len(clean) * world())
            shown = share(chosen)
            # Gradients and figures are averaged over the processes, whose crops may not be equally many.
            each = world() / chosen.sum().item()
            distances = self._perceptual([end[shown] for end in ends], clean[shown], halved=halved)
            names = ("perceptual_one", "perceptual_zero")
            for name, distance, usual, most in zip(names, distances, _USUAL, _MOST_TRUST, strict=True):
                trust = (usual / left[shown]).clamp(max=most)
                total = total + self.settings[name] * each * (trust * distance).sum()
                figures[name] = each * distance.sum()
        if self.adversary is not None and step >= self.settings["adversarial_start"]:
            total, more = self.adversary.join(
                total, clean, ends[1], last=transform.last.weight, weight=self.settings["adversarial"]
            )
            figures |= more
        return total, {name: value.detach() for name, value in figures.items()}

    def cut(
        self, clean: Tensor, degraded: Tensor, informed: Tensor, *, generator: torch.Generator, large: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Crop faces (N, 3, S, S) and their features (N, C, S / stride, S / stride) at random places.

        The places are multiples of the stride. With ``large`` there are a quarter as many crops of twice the
        size.
        """
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
            return in_order_of(torch.stack(cut), images)

        return take(clean, self.stride), take(degraded, self.stride), take(informed, 1)

    def _perceptual(self, images: list[Tensor], target: Tensor, *, halved: bool) -> tuple[Tensor, ...]:
        """Return the distances (N,) of each of ``images`` (N, 3, s, s) from ``target``; N may be 0."""
        if not len(target):
            return tuple(target.new_zeros(0) for _ in images)
        distance = self.distance[0].to(target.device)
        if halved:
            images, target = [F.avg_pool2d(x, 2) for x in images], F.avg_pool2d(target, 2)
        with torch.no_grad():
            wanted = distance.features(target)
        found = distance.features(torch.cat(images))
        wanted = [torch.cat([w] * len(images)) for w in wanted]
        return distance.compare(found, wanted).chunk(len(images))


def _evenly(count: int, whole: int) -> Tensor:
    """Choose ``count`` of ``whole``, or all if that is fewer, evenly apart: (whole,) bool."""
    count, chosen = min(count, whole), torch.zeros(whole, dtype=torch.bool)
    chosen[torch.arange(count) * whole // count] = True
    return chosen


def _pixel_loss(x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return L1, and the loss: L1, half of the L1 of gradients, and the L1 of colour differences. The latter
    accounts for colour blotches of codecs and noise, which have little effect on the others."""
    l1, difference = F.l1_loss(x, target), x - target
    colour = difference - difference.mean(dim=1, keepdim=True)
    return l1, l1 + 0.5 * gradient_loss(x, target).mean() + colour.abs().mean()


def _structure_loss(x: Tensor, target: Tensor) -> Tensor:
    difference = x - target
    terms = (weight * F.avg_pool2d(difference, side).abs().mean() for side, weight in _STRUCTURE.items())
    return sum(terms, start=difference.new_zeros(()))
