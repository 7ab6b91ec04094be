"""Stage II: predicting the codes of a clean face from a degraded one."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..restoration.codeformer import CodeFormer
from .codebook import nearest_codes
from .stage import Stage


class Teacher(nn.Module):
    """A frozen copy of the encoder of stage I, which determines the codes of clean faces."""

    def __init__(self, model: CodeFormer) -> None:
        super().__init__()
        self.encoder = deepcopy(model.encoder).requires_grad_(False)

    @torch.no_grad()
    def codes(self, model: CodeFormer, clean: Tensor) -> Tensor:
        """Return the codes (N, G * G) of clean faces (N, 3, S, S), as indices into the model's codebook."""
        return nearest_codes(self.encoder(clean)[0], model.quantize.embedding.weight)


def code_loss(
    model: CodeFormer, features: Tensor, logits: Tensor, codes: Tensor, weight: float
) -> tuple[Tensor, dict[str, Tensor | float]]:
    """Return the cross-entropy of the codes plus ``weight`` times the distance of the features from the codes
    (Zhou et al., 2022, section 3.2), and figures for the log."""
    entropy = F.cross_entropy(logits.float().flatten(0, 1), codes.flatten())
    wanted = model.quantize(codes, model.config.code_grid).detach()
    distance = F.mse_loss(features.float(), wanted)
    right = (logits.argmax(dim=-1) == codes).float().mean()
    figures: dict[str, Tensor | float] = {
        "entropy": entropy.detach(),
        "feature": distance.detach(),
        "accuracy": right,
    }
    return entropy + weight * distance, figures


def transformer_parameters(model: CodeFormer) -> list[nn.Parameter]:
    """Return the parameters of the modules that predict codes from features."""
    parts = (model.feat_emb, model.ft_layers, model.idx_pred_layer)
    return [model.position_emb, *(p for part in parts for p in part.parameters())]


class Stage2(Stage):
    """Trains the encoder and the transformer; the codebook and the generator are frozen."""

    name = "stage2"

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__(model, settings)
        self.teacher = Teacher(model)

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        return [
            {"params": transformer_parameters(model), "scale": 1.0},
            {"params": list(model.encoder.parameters()), "scale": self.settings["encoder_scale"]},
        ]

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        codes = self.teacher.codes(model, clean)
        features = model.encode(degraded).features
        return code_loss(model, features, model.predict(features), codes, self.settings["feature"])
