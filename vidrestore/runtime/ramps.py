"""A smooth ramp between two states, for single numbers and for whole maps."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from torch import Tensor

Values = TypeVar("Values", Tensor, np.ndarray, float)


def smoothstep(x: Values) -> Values:
    """0 up to 0, 1 from 1 on, and between them the cubic whose slope is 0 at both ends. Arrays and tensors
    may have any shape.

    >>> smoothstep(-1.0), smoothstep(0.25), smoothstep(0.5), smoothstep(2.0)
    (0.0, 0.15625, 0.5, 1.0)
    """
    if isinstance(x, Tensor):
        t = x.clamp(0, 1)
    elif isinstance(x, np.ndarray):
        t = np.clip(x, 0, 1)
    else:
        t = min(max(x, 0.0), 1.0)
    return t * t * (3 - 2 * t)
