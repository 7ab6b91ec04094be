"""Rules that choose a face's fidelity weight and strength of restoration from its quality.

Every rule is continuous with a bounded slope, so that the choice for a track changes no faster than its
quality. The constants come from portraits degraded at the levels of ``vidrestore.degradation.degrade`` and
from clean and lightly compressed ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from ...runtime.ramps import smoothstep
from .face_quality import FaceQuality

#: ``w`` of the worst faces (trust the codebook), and of nearly clean ones (trust the input).
LOWEST_W, HIGHEST_W = 0.3, 0.9
#: The range of each measure over which it changes ``w``. Sizes in pixels.
_SHARPNESS = (0.35, 1.0)
_SIZE = (40.0, 160.0)
_NOISE = (2.0, 6.0)
_YAW = (0.2, 0.7)
#: A tiny face and a noisy face lose these shares of ``w``'s excess over the lowest. A turned face gains this
#: share of the distance to the highest: the codebook was learned from frontal faces and would make another
#: person of it.
_TINY_LOSES, _NOISY_LOSES, _TURNED_GAINS = 0.4, 0.6, 0.5

#: Yaw (0.8 is 72 degrees) from which on alignment to a frontal template fails.
MAX_YAW = 0.8
#: Colour (see ``FaceQuality``) from which on a face is not grey.
MAX_COLOUR = 10.0
#: Share of that up to which it is grey.
_GREY = 0.5
#: The range over which each gate goes from closed to open; for size, a factor.
_EASE_SIZE, _EASE_SHARPNESS, _EASE_YAW = 1.5, 0.25, 0.25
#: The range of noise over which a sharp face goes from left alone to restored.
_GRAINY = (2.4, 4.0)

#: The range of sharpness over which a model's edges come to be trusted, relative to the sharpness from which
#: on a face is readable to it.
_DOUBTFUL = (1.6, 2.3)

#: Thresholds of :func:`describe`.
_SOFT, _SHARP, _NOISY, _TURNED = 0.5, 0.8, 3.0, 0.35
#: Share of the middle of a face from which on it counts as partly covered. In clean clips up to .06 are taken
#: for covered, under planted text and scratches .20 and more.
COVERED = 0.10
#: Side of an aligned face, relative to the height of the face in it.
_SIDE_IN_HEIGHTS = 1.5


def choose_w(quality: FaceQuality) -> float:
    """The fidelity weight for a face, in [0.3, 0.9].

    It rises with sharpness and size and falls with noise, since a degraded input should not be trusted (Zhou
    et al., 2022, section 3.3: a smaller ``w`` for heavy degradation); it rises with yaw.
    """
    good = _between(quality.sharpness, *_SHARPNESS)
    small = 1 - _between(math.log(max(quality.size, 1)), *map(math.log, _SIZE))
    good *= (1 - _TINY_LOSES * small) * (1 - _NOISY_LOSES * _between(quality.noise, *_NOISE))
    good += (1 - good) * _TURNED_GAINS * _between(quality.yaw, *_YAW)
    return LOWEST_W + (HIGHEST_W - LOWEST_W) * good


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which faces are left alone: the limits of four gates, each eased between closed and open; 0 disables
    one."""

    #: Height in pixels of the frame up to which the gate is closed; it is open from 1.5 times that.
    min_size: float
    #: Sharpness, 1 being the most that a face of its size can show, from which on the gate is closed; it is
    #: open for faces well below it, and for grainy ones.
    max_sharpness: float
    max_yaw: float  #: yaw, 1 being a profile, from which on the gate is closed; it is open well below it
    max_colour: float = 0.0  #: colour from which on the gate is closed; it is open up to half of that


def gate(quality: FaceQuality, limits: Limits) -> float:
    """The share of its restoration that a face should get, in [0, 1]: the product of its :func:`gates`. 0
    leaves it alone."""
    return math.prod(gates(quality, limits))


class Gates(NamedTuple):
    """How far each gate is open, in [0, 1]."""

    size: float
    sharpness: float
    yaw: float
    colour: float = 1.0


def gates(quality: FaceQuality, limits: Limits) -> Gates:
    """How far the gates are open for a face."""
    size = sharpness = yaw = colour = 1.0
    if limits.min_size:
        size = _between(quality.size, limits.min_size, _EASE_SIZE * limits.min_size)
    if most := limits.max_sharpness:
        clear = _between(_relative_sharpness(quality), most - _EASE_SHARPNESS, most)
        sharpness = 1 - clear * (1 - _between(quality.noise, *_GRAINY))
    if limits.max_yaw:
        yaw = 1 - _between(quality.yaw, limits.max_yaw - _EASE_YAW, limits.max_yaw)
    if limits.max_colour:
        colour = 1 - _between(quality.colour, _GREY * limits.max_colour, limits.max_colour)
    return Gates(size, sharpness, yaw, colour)


def wear(quality: FaceQuality, sharpness: tuple[float, float]) -> float:
    """How far a face is too worn for a model to draw its features, in [0, 1].

    ``sharpness`` is what the model declares: up to the first its eyes and mouths are invented, from the
    second on they are the face's own.
    """
    return 1 - _between(quality.sharpness, *sharpness)


def beyond_codes(quality: FaceQuality, sharpness: tuple[float, float] | None) -> float:
    """How far a face shows more than the codes of a model hold, in [0, 1].

    ``sharpness`` is what the model declares: up to the first its codes hold the face, from the second on they
    would take detail away. None: they hold every face.
    """
    return _between(quality.sharpness, *sharpness) if sharpness else 0.0


def doubt(quality: FaceQuality, sharpness: tuple[float, float]) -> float:
    """How far edges that a model draws in a face may be its own inventions, in [0, 1].

    ``sharpness`` is what the model declares, as for :func:`wear`. What it can read it does not yet draw right
    in every line; of a face that is clearly sharper it does.
    """
    return 1 - _between(quality.sharpness, *(share * sharpness[1] for share in _DOUBTFUL))


def describe(quality: FaceQuality, covered: float = 0.0, *, max_colour: float | None = None) -> str:
    """A short description such as ``41 px, blurred, noisy``. ``covered`` is the share of the face, in [0, 1],
    that something lies over. A face of at least ``max_colour`` is said to be in colour."""
    sharpness = _relative_sharpness(quality)
    terms = [
        f"{quality.size:.0f} px",
        "blurred" if sharpness < _SOFT else "soft" if sharpness < _SHARP else "sharp",
        *(["noisy"] if quality.noise >= _NOISY else []),
    ]
    if quality.yaw >= _TURNED:
        terms.append("in profile" if quality.yaw >= MAX_YAW else "turned")
    if covered >= COVERED:
        terms.append("partly covered")
    if max_colour and quality.colour >= max_colour:
        terms.append("in colour")
    return ", ".join(terms)


def _relative_sharpness(quality: FaceQuality) -> float:
    """Sharpness relative to that of the sharpest face of its size, in [0, 1]."""
    # Sharp portraits scaled down to 32 pixels a side have a sharpness of 0.2, and 0.2 more per octave above.
    octaves = math.log2(max(_SIDE_IN_HEIGHTS * quality.size, 1) / 32)
    best = min(max(0.2 + 0.2 * octaves, 0.3), 1.0)
    return min(quality.sharpness / best, 1.0)


def _between(x: float, low: float, high: float) -> float:
    """0 up to ``low``, 1 from ``high`` on, and smooth between them."""
    return smoothstep((x - low) / (high - low))
