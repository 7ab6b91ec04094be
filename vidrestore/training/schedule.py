"""The learning rate over the steps of a stage."""

from __future__ import annotations

import math

#: Maximum number of steps of the warm-up.
_LONGEST_WARMUP = 300
#: Factor of the learning rate at the last step.
_LAST = 0.02


def learning_rate(step: int, *, steps: int, rate: float, decay: float) -> float:
    """Return the learning rate at ``step`` of ``steps``.

    Linear warm-up to ``rate`` over 2 % of the steps, but at most 300; then constant; then, over the last
    share ``decay`` of the steps, cosine decay to 2 % of ``rate``.
    """
    warmup = max(1, min(steps // 50, _LONGEST_WARMUP))
    if step < warmup:
        return rate * (step + 1) / warmup
    falling = min(steps - warmup, round(decay * steps))
    done = max(0, step - (steps - falling)) / max(1, falling)
    return rate * (_LAST + (1 - _LAST) * 0.5 * (1 + math.cos(math.pi * done)))
