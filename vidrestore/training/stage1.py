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
from .distributed import share, world
from .stage import ImageLoss, Stage


class Stage1(Stage):
    """Zhou et al., 2022, section 3.1: image losses and the commitment of the features to their codes.

    For the first ``warmup`` steps nothing is quantised. With ``adain`` the codes' features take the
    statistics of the encoder's, as they do at inference: colour then need not pass through codes.
    ``part`` is the side in pixels of the part of each face that is seen; the autoencoder has no sense of
    place, and parts of many faces teach it more than the whole of a few.
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
        clean = parts(clean, self.settings["part"], generator)
        features = model.encoder(clean)[0].float()
        quantised, commitment = features, features.new_zeros(())
        if step >= self.settings["warmup"]:
            codebook = model.quantize.embedding.weight.data
            self.averages.update(codebook, features.detach(), generator)
            found = model.quantize(nearest_codes(features.detach(), codebook), features.shape[-1])
            found = found.detach()
            commitment = F.mse_loss(features, found)
            quantised = features + (found - features).detach()  # straight through
        if self.settings["adain"]:
            quantised = adaptive_instance_norm(quantised, features)
        image = model.reconstruct(quantised).float()
        loss, figures = self.image_loss(image, clean, step, generator)
        figures |= {"commitment": commitment.detach(), "codes": self.averages.perplexity()}
        return loss + self.settings["commitment"] * commitment, figures


def parts(faces: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """A part of each face at a random place: (N, 3, S, S) -> (N, 3, side, side)."""
    span = faces.shape[-1] - side
    if span == 0:
        return faces
    places = share(torch.randint(0, span + 1, (len(faces) * world(), 2), generator=generator)).tolist()
    chosen = [f[:, y : y + side, x : x + side] for f, (y, x) in zip(faces, places, strict=True)]
    return torch.stack(chosen).contiguous(memory_format=torch.channels_last)
