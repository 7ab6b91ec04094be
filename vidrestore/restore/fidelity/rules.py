"""How a face of a given condition is restored: its ``w``, and whether it should be restored at all.

Everything here is continuous and rises or falls with a slope that is bounded, so that what is chosen for a
track changes no faster than what it shows. The figures come from portraits degraded at the levels of
``vidrestore.degradation.degrade`` and from clean and lightly compressed ones.
"""

from __future__ import annotations

import math

from .face_quality import Condition

#: ``w`` of the worst faces, which trust the codebook, and of the nearly clean ones, which trust the input.
LOWEST_W, HIGHEST_W = 0.3, 0.9
#: What a measure is at its worst and at its best, as far as ``w`` is concerned. Sizes in pixels.
_SHARPNESS = (0.35, 1.0)
_SIZE = (40.0, 160.0)
_NOISE = (2.0, 6.0)
_YAW = (0.2, 0.7)
#: Share of ``w`` above the lowest that a tiny face and a noisy one lose, and of that missing to the highest
#: that a turned one gains: the codebook has learned frontal faces, and would make another person of it.
_TINY_LOSES, _NOISY_LOSES, _TURNED_GAINS = 0.4, 0.6, 0.5

#: Height of a face, in pixels of the frame, up to which there is nothing to restore from.
MIN_SIZE = 20.0
#: Sharpness, of what its pixels can carry, from which on there is nothing to restore.
MAX_SHARPNESS = 0.95
#: A face turned this far aside (0.8: 72 degrees) is aligned onto a frontal template in vain.
MAX_YAW = 0.8
#: Each gate goes from shut to open over this: in sizes as a factor.
_EASE_SIZE, _EASE_SHARPNESS, _EASE_YAW = 1.5, 0.35, 0.25
#: From this noise to this one, a sharp face counts more and more as one to restore.
_GRAINY = (2.4, 4.0)

#: From where on words say so.
_SOFT, _SHARP, _NOISY, _TURNED = 0.5, 0.8, 3.0, 0.35
#: Side of an aligned face in heights of the face.
_SIDE_IN_HEIGHTS = 1.5


def choose_w(condition: Condition) -> float:
    """The fidelity weight for a face, in [0.3, 0.9].

    Rises with sharpness and size and falls with noise, since a bad input is not to be trusted (Zhou et
    al., 2022, section 3.3: a smaller ``w`` for heavy degradation); rises as the head turns.
    """
    good = _smoothstep(condition.sharpness, *_SHARPNESS)
    small = 1 - _smoothstep(math.log(max(condition.size, 1)), *map(math.log, _SIZE))
    good *= (1 - _TINY_LOSES * small) * (1 - _NOISY_LOSES * _smoothstep(condition.noise, *_NOISE))
    good += (1 - good) * _TURNED_GAINS * _smoothstep(condition.yaw, *_YAW)
    return LOWEST_W + (HIGHEST_W - LOWEST_W) * good


def gate(
    condition: Condition,
    *,
    min_size: float | None = MIN_SIZE,
    max_sharpness: float | None = MAX_SHARPNESS,
    max_yaw: float | None = MAX_YAW,
) -> float:
    """How much of the restoration a face should get: 0 leaves it as it is, 1 is all.

    Nothing for a face ``min_size`` or fewer pixels tall, all from one and a half times as tall on; nothing
    from ``max_sharpness`` on, 1 being all that a face of its size can show, all for one blurred well below
    it or grainy; nothing from ``max_yaw`` on, 1 being a profile, all well below it. Eased between. A limit
    of None or 0 leaves its gate open.
    """
    open_ = 1.0
    if min_size:
        open_ *= _smoothstep(condition.size, min_size, _EASE_SIZE * min_size)
    if max_sharpness:
        clear = _smoothstep(_relative_sharpness(condition), max_sharpness - _EASE_SHARPNESS, max_sharpness)
        open_ *= 1 - clear * (1 - _smoothstep(condition.noise, *_GRAINY))
    if max_yaw:
        open_ *= 1 - _smoothstep(condition.yaw, max_yaw - _EASE_YAW, max_yaw)
    return open_


def explain(condition: Condition) -> str:
    """A condition in words: ``41 px, blurred, noisy``."""
    sharpness = _relative_sharpness(condition)
    words = [
        f"{condition.size:.0f} px",
        "blurred" if sharpness < _SOFT else "soft" if sharpness < _SHARP else "sharp",
        *(["noisy"] if condition.noise >= _NOISY else []),
    ]
    if condition.yaw >= _TURNED:
        words.append("in profile" if condition.yaw >= MAX_YAW else "turned")
    return ", ".join(words)


def _relative_sharpness(condition: Condition) -> float:
    """Sharpness as a share of what a face of this size shows at best, in [0, 1]."""
    # Sharp portraits scaled down to 32 pixels a side show 0.2 of it, and 0.2 more for each octave above.
    octaves = math.log2(max(_SIDE_IN_HEIGHTS * condition.size, 1) / 32)
    best = min(max(0.2 + 0.2 * octaves, 0.3), 1.0)
    return min(condition.sharpness / best, 1.0)


def _smoothstep(x: float, low: float, high: float) -> float:
    """0 up to ``low``, 1 from ``high`` on, and a cubic with level ends between."""
    t = min(max((x - low) / (high - low), 0), 1)
    return t * t * (3 - 2 * t)
