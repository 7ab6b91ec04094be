"""What the three stages have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..restoration.codeformer import CodeFormer


class Stage(nn.Module):
    """One stage of the training: which parameters learn, and from what loss.

    What a stage owns beside the model (averages, a teacher) are its buffers and modules, and travel
    in the checkpoint. ``settings`` are the stage's numbers from the configuration.
    """

    name: ClassVar[str]
    #: Whether the stage needs degraded faces.
    degraded: ClassVar[bool] = True

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = dict(settings)

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        """Parameters that learn, with the factor (``scale``) of the learning rate they learn at."""
        raise NotImplementedError

    def optimisers(self) -> list[torch.optim.Optimizer]:
        """Optimisers of what learns beside the model; :meth:`loss` steps them."""
        return []

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """The loss of one batch (N, 3, S, S) in [-1, 1], and figures for the log.

        With several processes this is one's share of the batch. Random numbers are drawn from
        ``generator`` for the whole batch, so that all processes are at the same place in its sequence and
        together draw what a single one would.
        """
        raise NotImplementedError

    def views(self, model: CodeFormer, clean: Tensor, degraded: Tensor) -> dict[str, Tensor]:
        """Named pictures (N, 3, S, S) in [-1, 1] that show what ``model`` makes of a few faces."""
        restored = {f"w = {w:g}": model(degraded, w) for w in (0.0, 0.5, 1.0)}
        return {"input": degraded, **restored, "clean": clean}
