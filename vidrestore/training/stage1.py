"""Stage I: the autoencoder and its codebook, on clean faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..restoration.codeformer import CodeFormer
from ..restoration.codeformer.network import adaptive_instance_norm, like
from .codebook import CodebookAverages, nearest_codes
from .face_loss import FaceLoss
from .image_loss import ImageLoss, cut_square, parts
from .outer import OuterLayers, draw_part
from .stage import Stage


class Stage1(Stage):
    """The image losses and the commitment loss of the features (Zhou et al., 2022, section 3.1).

    Features are not quantised in the first ``warmup`` steps. With ``adain`` the quantised features get the
    statistics of the encoder's features, as at inference, so that codes need not represent colour. ``part``
    is the side in pixels of the crop of each face: the autoencoder does not depend on position, and crops of
    many faces teach it more than a few whole faces. One with position embeddings sees whole faces, and of
    its generator the finest level alone, which takes most of the time, draws a crop. In the first
    ``outer_steps`` of a network that begins from a smaller one, only its new layers learn
    (:class:`.outer.OuterLayers`). From step ``generator_from`` on, unless that is 0, encoder and codebook are
    frozen and the generator learns alone to draw what codes leave out (decoder finetuning; Chang et al.,
    "Muse", 2023). ``identity`` is the weight of the identity loss. At every
    ``identity_every``-th step, where it counts once for each step of the interval, the finest level draws the
    square of the face that this loss is about. ``components`` is the weight of the loss of eyes and mouth, of
    the same steps and squares.
    """

    name = "stage1"
    degraded = False

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__(model, settings)
        self.image_loss = ImageLoss(settings)
        self.face_loss = FaceLoss(settings)
        self.averages = CodebookAverages(model.quantize.embedding.weight)
        self.outer = OuterLayers(model) if settings["outer_steps"] else None

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        return [{"params": [*model.encoder.parameters(), *model.generator.parameters()], "scale": 1.0}]

    def optimisers(self) -> list[torch.optim.Optimizer]:
        return [*self.image_loss.optimisers(), *self.face_loss.optimisers()]

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        if self.outer is not None and step < self.settings["outer_steps"]:
            return self._outer_loss(self.outer, model, clean, step, generator)
        if not model.config.positions:
            (clean,) = parts(clean, side=self.settings["part"], generator=generator)
        if 0 < self.settings["generator_from"] <= step:
            return self._generator_loss(model, clean, step, generator)
        features = model.encoder(clean)[0].float()
        quantised, commitment = features, features.new_zeros(())
        if step >= self.settings["warmup"]:
            self.averages.update(model.quantize.embedding.weight.data, features.detach(), generator)
            found = quantise(model, features.detach())
            commitment = F.mse_loss(features, found)
            quantised = features + (found - features).detach()  # straight-through estimator
        if self.settings["adain"]:
            quantised = adaptive_instance_norm(quantised, features)
        loss, figures = self._drawing_loss(model, quantised, clean, step, generator)
        figures |= {"commitment": commitment.detach(), "codes": self.averages.perplexity()}
        return loss + self.settings["commitment"] * commitment, figures

    def _generator_loss(
        self, model: CodeFormer, clean: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        with torch.no_grad():
            features = model.encoder(clean)[0].float()
            quantised = quantise(model, features)
            if self.settings["adain"]:
                quantised = adaptive_instance_norm(quantised, features)
        return self._drawing_loss(model, quantised, clean, step, generator)

    def _drawing_loss(
        self, model: CodeFormer, quantised: Tensor, clean: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        side, size = self.settings["part"], clean.shape[-1]
        square = self.face_loss.square(step, size)
        if side >= size:
            image = model.reconstruct(quantised, clean).float()
            loss, figures = self._image_loss(model, image, clean, step, generator)
            if square is not None:
                image, clean = (cut_square(x, square) for x in (image, clean))
        else:
            image, clean = draw_part(model, quantised, clean, side=side, generator=generator, square=square)
            loss, figures = self._image_loss(model, image, clean, step, generator, whole=False)
        if square is not None:
            last = model.generator.last_weight
            term, more = self.face_loss(image, clean, size=size, step=step, generator=generator, last=last)
            loss, figures = loss + term, figures | more
        return loss, figures

    def _outer_loss(
        self, outer: OuterLayers, model: CodeFormer, clean: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        seen, features = outer.look(model, clean)
        quantised = quantise(model, features)
        if self.settings["adain"]:
            quantised = adaptive_instance_norm(quantised, features)
        imitation = outer.imitation(model, clean, seen)
        image, clean = outer.images(model, quantised, clean, generator)
        loss, figures = self._image_loss(model, image, clean, step, generator, whole=False)
        return loss + imitation, figures | {"imitation": imitation.detach()}

    def _image_loss(
        self,
        model: CodeFormer,
        image: Tensor,
        clean: Tensor,
        step: int,
        generator: torch.Generator,
        *,
        whole: bool = True,
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        last = model.generator.last_weight
        return self.image_loss(image, clean, step=step, generator=generator, last=last, whole=whole)

    def views(self, model: CodeFormer, clean: Tensor, degraded: Tensor) -> dict[str, Tensor]:
        features = model.encoder(clean)[0].float()
        shown = {"without codes": features, "through codes": quantise(model, features)}
        if self.settings["adain"]:
            shown = {name: adaptive_instance_norm(x, features) for name, x in shown.items()}
        return {"clean": clean, **{name: model.reconstruct(x, clean) for name, x in shown.items()}}


def quantise(model: CodeFormer, features: Tensor) -> Tensor:
    """Replace features (N, C, G, G) by their nearest codes, without a gradient."""
    codes = nearest_codes(features, model.quantize.embedding.weight)
    return like(features, model.quantize(codes, features.shape[-1]).detach())
