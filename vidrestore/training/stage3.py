"""Stage III: the controllable feature transformation, for any ``w``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..restoration.codeformer import CodeFormer
from .distributed import share, world
from .image_loss import ImageLoss
from .stage import Stage
from .stage2 import Teacher, code_loss, transformer_parameters

#: How many times larger a transformation may leave the generator's features before it is held back.
_LARGEST_GROWTH = 4.0


class Stage3(Stage):
    """The image losses, with ``w`` drawn per face; the code losses at every ``code_every``-th step keep
    the codes predictable where the encoder changes, and features that the CFT would enlarge without end
    are held back.

    The perceptual part weighs ``1.2 - w``: ``w`` trades likeness to the eye against distance to the
    input, and this is where the network learns that. The transformation learns at the full
    rate, encoder and transformer at ``encoder_scale`` of it, the generator at ``generator_scale``: with 0
    not at all. The codebook stays as it is.
    """

    name = "stage3"

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__(model, settings)
        self.image_loss = ImageLoss(settings)
        self.teacher = Teacher(model) if settings["encoder_scale"] else None

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        transforms = list(model.fuse_convs_dict.parameters())
        predicting = [*model.encoder.parameters(), *transformer_parameters(model)]
        groups = [
            {"params": transforms, "scale": 1.0},
            {"params": predicting, "scale": self.settings["encoder_scale"]},
            {"params": list(model.generator.parameters()), "scale": self.settings["generator_scale"]},
        ]
        return [group for group in groups if group["scale"]]

    def optimisers(self) -> list[torch.optim.Optimizer]:
        return self.image_loss.optimisers()

    def last_layer(self, model: CodeFormer) -> nn.Parameter:
        """The weights of the last layer that learns."""
        if self.settings["generator_scale"]:
            return model.generator.blocks[-1].weight
        finest = max(model.config.cft_sizes)
        return model.fuse_convs_dict[str(finest)].shift[-1].weight

    def draw_w(self, batch: int, generator: torch.Generator) -> Tensor:
        """(N,): 0 for a share ``w_zero``, 1 for a share ``w_one``, else uniform."""
        kind, w = share(torch.rand((2, batch * world()), generator=generator), dim=1)
        zero = self.settings["w_zero"]
        w = torch.where(kind < zero, torch.zeros(()), w)
        return torch.where(kind >= 1 - self.settings["w_one"], torch.ones(()), w)

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        w = self.draw_w(len(clean), generator).to(clean.device)
        encoding = model.encode(degraded)
        learns_codes = self.teacher is not None and step % self.settings["code_every"] == 0
        with torch.set_grad_enabled(learns_codes):
            logits = model.predict(encoding.features)
        with watched(model) as transformed:
            image = model.decode(logits.argmax(dim=-1), encoding, w).float()
        excess = growth(transformed)
        loss, figures = self.image_loss(
            image, clean, step=step, generator=generator, last=self.last_layer(model), weight=1.2 - w
        )
        loss, figures = loss + excess, figures | {"growth": excess.detach()}
        if learns_codes:
            codes = self.teacher.codes(model, clean)
            extra, more = code_loss(model, encoding.features, logits, codes, self.settings["feature"])
            loss, figures = loss + self.settings["code"] * extra, figures | more
        return loss, figures


@contextmanager
def watched(model: CodeFormer) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """What each level's CFT makes of the generator's features while this is entered: before and behind."""
    found: list[tuple[Tensor, Tensor]] = []
    hooks = [
        fuse.register_forward_hook(lambda module, given, out: found.append((given[1], out)))
        for fuse in model.fuse_convs_dict.values()
    ]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def growth(transformed: list[tuple[Tensor, Tensor]]) -> Tensor:
    """How far the features (N, C, H, W) behind the CFT are beyond ``_LARGEST_GROWTH`` times those before
    it, as the logarithm of the factor; zero as long as none is.

    The CFT multiplies features by what it makes of features. Behind the norms that follow, the losses do
    not see their size, so nothing else keeps the product of several levels from growing without end.
    """
    excess = torch.zeros(())
    for before, behind in transformed:
        size, least = (x.float().square().mean(dim=(1, 2, 3)) + 1e-12 for x in (behind, before.detach()))
        excess = excess.to(size) + F.relu(0.5 * (size / least).log() - math.log(_LARGEST_GROWTH)).mean()
    return excess
