"""One aligned face on its way through restoration, with what each step found for the next ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from ..fidelity.face_quality import Condition
from ..restorer import Observation
from .motion import Motion, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """Steps return a copy with more in it."""

    track: int
    image: Tensor | None  #: (3, S, S) RGB in [0, 1], float16: the crop, or the crop held steady
    view: View | None  #: the crop as it is compared with others
    condition: Condition | None = None  #: what the crop shows of itself
    w: float = 0.5  #: its fidelity weight
    strength: float = 1.0  #: how much of its restoration is blended in
    motions: dict[int, Motion] = field(default_factory=dict)  #: to the same face so many frames on
    noise: float = (
        0.0  #: mean square by which the crop differs from those beside it where nothing moves, of 255
    )
    stillness: np.ndarray | None = None  #: (64, 64) float32, 1 where it stands still, 0 where it moves
    tint: Tensor | None = None  #: (5,), what the crop's colours depend on, see :mod:`.colour`
    observation: Observation | None = None  #: what the restorer saw
    layers: Tensor | None = None  #: (4, S, S): it, restored, and its mask; what it was made of is None then
    source: Any = None  #: where it was cut out and goes back to; nothing here looks into it

    @property
    def restored(self) -> Tensor:
        """(3, S, S) RGB in [0, 1]."""
        return self.layers[:3]

    @property
    def mask(self) -> Tensor:
        """(S, S) in [0, 1], where the restored face replaces what was there."""
        return self.layers[3]
