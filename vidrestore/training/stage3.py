"""Stage III: the controllable feature transformation (CFT), for any ``w``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..restoration.codeformer import CodeFormer
from .checkpoint import entries_below, load_state
from .correction import begin_correction, keep_share
from .distributed import share, world
from .face_loss import FaceLoss
from .image_loss import ImageLoss, cut_square
from .stage import Stage
from .stage2 import Teacher, code_loss, transformer_parameters

#: Factor by which a CFT may enlarge the generator's features without a penalty.
_LARGEST_GROWTH = 4.0


class Stage3(Stage):
    """The image losses and those of identity and facial components, with a random ``w`` per face. In
    addition, the code losses at every ``code_every``-th step, which keep the codes predictable while the
    encoder changes, and a penalty on the growth of features.

    The weight of the perceptual and the adversarial loss is ``1.2 - w``: this is where the network learns
    that ``w`` trades perceptual quality against fidelity to the input. The CFT is trained at the full
    learning rate, the correction of the input, if the network has one, at ``correction_scale`` of it, the
    encoder and the transformer at ``encoder_scale``, and the generator at ``generator_scale``; 0 freezes
    them. Of a correction that begins with trained weights (``correction_from``), what reads the generator's
    features is new, and learns at the full rate unless the correction is frozen; ``correction_share`` of what
    it learns is exported. The codebook is frozen.
    """

    name = "stage3"

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__(model, settings)
        self.image_loss = ImageLoss(settings)
        self.face_loss = FaceLoss(settings)
        self.teacher = Teacher(model) if settings["encoder_scale"] else None
        if settings["correction_from"]:
            begin_correction(model, settings["correction_from"])

    def inherit(self, state: Mapping[str, Tensor], path: Path) -> None:
        """Take over the teacher of stage II, which is the encoder of stage I: that of stage II has learned
        to see degraded faces, and its features of clean ones have other codes."""
        if self.teacher is not None:
            load_state(self.teacher, entries_below(state, "teacher."), path)

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        rate = self.settings["correction_scale"]
        reading = ("features.",) if self.settings["correction_from"] else ()
        correction = [] if model.correction is None else list(model.correction.named_parameters())
        old = [p for name, p in correction if not name.startswith(reading)]
        new = [p for name, p in correction if name.startswith(reading)]
        predicting = [*model.encoder.parameters(), *transformer_parameters(model)]
        groups = [
            {"params": list(model.fuse_convs_dict.parameters()), "scale": 1.0},
            {"params": old, "scale": rate},
            {"params": new, "scale": 1.0 if rate else 0.0},
            {"params": predicting, "scale": self.settings["encoder_scale"]},
            {"params": list(model.generator.parameters()), "scale": self.settings["generator_scale"]},
        ]
        return [group for group in groups if group["params"] and group["scale"]]

    def optimisers(self) -> list[torch.optim.Optimizer]:
        return [*self.image_loss.optimisers(), *self.face_loss.optimisers()]

    def last_layer(self, model: CodeFormer) -> Tensor:
        """Return the weights of the last trained layer."""
        if self.settings["generator_scale"]:
            return model.generator.last_weight
        if model.correction is not None and self.settings["correction_scale"]:
            return model.correction.last.weight
        finest: Any = model.fuse_convs_dict[str(max(model.config.cft_sizes))]
        return finest.shift[-1].weight

    def draw_w(self, batch: int, generator: torch.Generator) -> Tensor:
        """Draw (N,) weights: 0 with probability ``w_zero``, 1 with probability ``w_one``, else uniform."""
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
            image = model.decode(logits.argmax(dim=-1), encoding, w, self.settings["adain"]).float()
        excess = growth(transformed)
        drawn = {"step": step, "generator": generator, "last": self.last_layer(model), "weight": 1.2 - w}
        loss, figures = self.image_loss(image, clean, **drawn)
        loss, figures = loss + excess, figures | {"growth": excess.detach()}
        size = clean.shape[-1]
        if square := self.face_loss.square(step, size):
            seen, wanted = (cut_square(x, square) for x in (image, clean))
            term, more = self.face_loss(seen, wanted, size=size, **drawn)
            loss, figures = loss + term, figures | more
        if self.teacher is not None and learns_codes:
            codes = self.teacher.codes(model, clean)
            extra, more = code_loss(model, encoding.features, logits, codes, self.settings["feature"])
            loss, figures = loss + self.settings["code"] * extra, figures | more
        return loss, figures

    def exported(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        source, share = self.settings["correction_from"], self.settings["correction_share"]
        return keep_share(state, source, share) if source else state


@contextmanager
def watched(model: CodeFormer) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Record the generator's features before and after the CFT of each level, while the context is active."""
    recorded: list[tuple[Tensor, Tensor]] = []

    def record(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        recorded.append((args[1], output))

    hooks = [fuse.register_forward_hook(record) for fuse in model.fuse_convs_dict.values()]
    try:
        yield recorded
    finally:
        for hook in hooks:
            hook.remove()


def growth(transformed: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Return a penalty on features (N, C, H, W) that the CFT enlarges by more than ``_LARGEST_GROWTH``.

    It is the logarithm of the excess factor, or 0. The CFT multiplies features by a function of features. The
    norms that follow hide the size of the features from the losses, so nothing else keeps the product over
    several levels from growing without limit.
    """
    excess = torch.zeros(())
    for before, after in transformed:
        size, original = (x.float().square().mean(dim=(1, 2, 3)) + 1e-12 for x in (after, before.detach()))
        excess = excess.to(size) + F.relu(0.5 * (size / original).log() - math.log(_LARGEST_GROWTH)).mean()
    return excess
