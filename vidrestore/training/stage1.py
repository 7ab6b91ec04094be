"""Stage I: the autoencoder and its codebook, on clean faces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vidrestore.restore.codeformer import CodeFormer
from vidrestore.restore.codeformer.network import adaptive_instance_norm

from .codebook import CodebookAverages, nearest_codes
from .stage import ImageLoss, Stage


class Stage1(Stage):
    """Zhou et al., 2022, section 3.1: image losses and the commitment of the features to their codes.

    For the first ``warmup`` steps nothing is quantised. With ``adain`` the codes' features take the
    statistics of the encoder's, as they do at inference: colour then need not pass through codes.
    """

    name = "stage1"
    degraded = False

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__(model, settings)
        self.image_loss = ImageLoss(settings)
        self.averages = CodebookAverages(model.quantize.embedding.weight)

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        return [{"params": [*model.encoder.parameters(), *model.generator.parameters()], "scale": 1.0}]

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        encoding = model.encode(clean)
        features = encoding.features.float()
        quantised, commitment = features, features.new_zeros(())
        if step >= self.settings["warmup"]:
            codebook = model.quantize.embedding.weight.data
            self.averages.update(codebook, features.detach(), generator)
            found = model.quantize(nearest_codes(features.detach(), codebook), model.config.code_grid)
            found = found.detach()
            commitment = F.mse_loss(features, found)
            quantised = features + (found - features).detach()  # straight through
        if self.settings["adain"]:
            quantised = adaptive_instance_norm(quantised, features)
        image = model.reconstruct(quantised).float()
        loss, figures = self.image_loss(image, clean, step, generator)
        figures |= {"commitment": commitment.detach(), "codes": self.averages.perplexity()}
        return loss + self.settings["commitment"] * commitment, figures
