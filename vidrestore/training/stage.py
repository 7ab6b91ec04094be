"""The interface of the three training stages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..restoration.codeformer import CodeFormer


class Stage(nn.Module):
    """A training stage: which parameters are trained, and with which loss.

    Anything that a stage has in addition to the model (averages, a teacher) is a buffer or module of the
    stage, and saved in checkpoints. ``settings`` are the stage's settings of the configuration, and
    ``adain``, by default true: whether codes get the statistics of the input's features.
    """

    name: ClassVar[str]
    #: Whether the stage needs degraded faces.
    degraded: ClassVar[bool] = True

    def __init__(self, model: CodeFormer, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = {"adain": True, **settings}

    def inherit(self, state: Mapping[str, Tensor], path: Path) -> None:
        """Take over what the previous stage has in addition to the model: ``state``, read from ``path``.

        Raises UsageError if it lacks something.
        """

    def parameter_groups(self, model: CodeFormer) -> list[dict[str, Any]]:
        """Return the trained parameters, in groups with a factor (``scale``) of the learning rate."""
        raise NotImplementedError

    def optimisers(self) -> list[torch.optim.Optimizer]:
        """Return the optimisers of other trained modules; :meth:`loss` runs their steps."""
        return []

    def loss(
        self, model: CodeFormer, clean: Tensor, degraded: Tensor, step: int, generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """Return the loss of one batch (N, 3, S, S) in [-1, 1], and figures for the log.

        With several processes, the batch is this process's share. Random numbers are drawn from ``generator``
        for the whole batch, so that its state is the same in all processes and they together use the numbers
        of a single process.
        """
        raise NotImplementedError

    def views(self, model: CodeFormer, clean: Tensor, degraded: Tensor) -> dict[str, Tensor]:
        """Return named images (N, 3, S, S) in [-1, 1] that show the output of ``model`` for a few faces."""
        adain = self.settings["adain"]
        restored = {f"w = {w:g}": model(degraded, w, adain) for w in (0.0, 0.5, 1.0)}
        return {"input": degraded, **restored, "clean": clean}

    def exported(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Return the state dict to export of a network that has learned ``state``."""
        return state
