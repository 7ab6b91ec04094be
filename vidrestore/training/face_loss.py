"""The losses of the face alone, without what surrounds it: identity and facial components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..faces.identity.embedding import identity_square
from .components import ComponentLoss
from .identity import IdentityLoss


class FaceLoss(nn.Module):
    """The identity loss and that of eyes and mouth, at every ``identity_every``-th step, if the ``settings``
    of a stage give them a weight."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        self.settings = dict(settings)
        self.identity = IdentityLoss.wanted(settings)
        self.components = ComponentLoss.wanted(settings)

    def optimisers(self) -> list[torch.optim.Optimizer]:
        return [] if self.components is None else self.components.optimisers()

    def square(self, step: int, size: int) -> tuple[int, int, int] | None:
        """Return the square (left, top, side) of aligned faces of ``size`` pixels that this step's losses are
        about; None if it has none."""
        wanted = self.identity is not None or self.components is not None
        return identity_square(size) if wanted and step % self.settings["identity_every"] == 0 else None

    def forward(
        self,
        x: Tensor,
        target: Tensor,
        *,
        size: int,
        step: int,
        generator: torch.Generator,
        last: Tensor,
        weight: Tensor | float = 1.0,
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """Return what a step that has a square adds to the loss of ``x`` against ``target``, and figures for
        the log.

        Both are (N, 3, side, side) in [-1, 1], that square of aligned faces of ``size`` pixels; ``last`` are
        the weights of the last layer, and ``weight`` is what :class:`.components.ComponentLoss` says.
        """
        total, figures = x.new_zeros(()), {}
        if self.identity is not None:
            total, figures = self.identity.term(x, target, self.settings)
        if self.components is not None:
            drawn = {"step": step, "generator": generator, "last": last, "weight": weight}
            more, found = self.components(x, target, square=identity_square(size), size=size, **drawn)
            total, figures = total + more, figures | found
        return total, figures
