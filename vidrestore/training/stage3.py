"""Stage III: the controllable feature transformation, for any ``w``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vidrestore.restore.codeformer import CodeFormer

from .distributed import share, world
from .image_loss import ImageLoss
from .stage import Stage
from .stage2 import Teacher, code_loss, transformer_parameters


class Stage3(Stage):
    """The image losses, with ``w`` drawn per face; the code losses at every ``code_every``-th step keep
    the codes predictable while the encoder changes.

    The perceptual part weighs ``1.5 - w``: ``w`` trades likeness to the eye against distance to the
    input, and this is where the network learns that. The generator learns at ``generator_scale`` of the
    rate, with 0 not at all; all else but the codebook at the full one.
    """

    name = "stage3"

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__(model, settings)
        self.image_loss = ImageLoss(settings)
        self.teacher = Teacher(model)

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        new = [*model.encoder.parameters(), *model.fuse_convs_dict.parameters()]
        new += transformer_parameters(model)
        if model.image_transform is not None:
            new += model.image_transform.parameters()
        groups = [{"params": new, "scale": 1.0}]
        if scale := self.settings["generator_scale"]:
            groups.append({"params": list(model.generator.parameters()), "scale": scale})
        return groups

    def optimisers(self) -> list[torch.optim.Optimizer]:
        return self.image_loss.optimisers()

    def last_layer(self, model: CodeFormer) -> nn.Parameter:
        """The weights of the last layer that learns."""
        if model.image_transform is not None:
            return model.image_transform.correction.weight
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
        learns_codes = step % self.settings["code_every"] == 0
        with torch.set_grad_enabled(learns_codes):
            logits = model.predict(encoding.features)
        image = model.decode(logits.argmax(dim=-1), encoding, w).float()
        loss, figures = self.image_loss(
            image, clean, step=step, generator=generator, last=self.last_layer(model), weight=1.5 - w
        )
        if learns_codes:
            codes = self.teacher.codes(model, clean)
            extra, more = code_loss(model, encoding.features, logits, codes, self.settings["feature"])
            loss, figures = loss + self.settings["code"] * extra, figures | more
        return loss, figures
