"""The look of old film and tape: monochrome, tinted, faded; and film grain.

The look is part of the target as well as of the degraded face, because a restorer keeps colours and does not
correct them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

#: Shares of monochrome faces and of faces with a colour cast.
GREY, CAST = 0.12, 0.10

_LUMA = np.array([0.299, 0.587, 0.114])  # BT.601

RGB = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class FilmLook:
    """A colour transformation: a channel mixer and a tone curve per channel, in [0, 1].

    The default is the identity.
    """

    saturation: float = 1.0  #: 0: monochrome, a mixture of the channels by ``weights``
    weights: RGB = (0.299, 0.587, 0.114)
    black: RGB = (0.0, 0.0, 0.0)  #: output for black
    white: RGB = (1.0, 1.0, 1.0)  #: output for white
    gamma: RGB = (1.0, 1.0, 1.0)

    @property
    def mono(self) -> bool:
        """Whether the image is monochrome, possibly tinted. Its noise is then monochrome too."""
        return self.saturation == 0

    def __call__(self, face: np.ndarray) -> np.ndarray:
        """Apply the look to a face (S, S, 3) RGB uint8."""
        if self.saturation < 1:
            mix = self.saturation * np.eye(3) + (1 - self.saturation) * np.tile(self.weights, (3, 1))
            face = cv2.transform(face, mix)
        black, white = np.array(self.black), np.array(self.white)
        levels = black + (white - black) * np.linspace(0, 1, 256)[:, None] ** np.array(self.gamma)
        table = (levels.clip(0, 1) * 255 + 0.5).astype(np.uint8)
        return cv2.LUT(face, table[None])


def draw_look(rng: np.random.Generator) -> FilmLook:
    """Draw a look at random: monochrome with probability ``GREY``, a colour cast with probability ``CAST``,
    otherwise slightly recoloured."""
    kind = rng.random()
    if kind < GREY:
        return _grey(rng)
    if kind < GREY + CAST:
        return (_sepia, _faded_dye, _tape)[rng.integers(3)](rng)
    gains = np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.05, 3))
    return FilmLook(white=_rgb(gains), gamma=_equal(float(np.exp(rng.normal(0, 0.12)))))


def _equal(value: float) -> RGB:
    return value, value, value


def _rgb(values: np.ndarray) -> RGB:
    red, green, blue = values
    return red, green, blue


def _grey(rng: np.random.Generator) -> FilmLook:
    """Draw a black-and-white look, from low to high contrast as prints have it."""
    black = max(0.0, rng.normal(0, 0.06))
    white = min(1.1, rng.normal(0.95, 0.1))
    gamma = float(np.exp(rng.normal(0, 0.2)))
    return FilmLook(
        saturation=0.0, weights=_emulsion(rng), black=_equal(black), white=_equal(white), gamma=_equal(gamma)
    )


def _sepia(rng: np.random.Generator) -> FilmLook:
    """Draw a monochrome look with a warm, sometimes a cold, tint."""
    grey = _grey(rng)
    strength = rng.uniform(0.05, 0.3) * rng.choice((1, 1, 1, -0.5))
    tint = np.array([1.0, 1 - 0.45 * strength, 1 - strength])
    tint /= tint.max()
    stain = np.array([0.06, 0.03, 0.0]) * rng.random()
    return FilmLook(
        saturation=0.0,
        weights=grey.weights,
        black=_rgb(np.array(grey.black) + stain),
        white=_rgb(np.array(grey.white) * tint),
        gamma=grey.gamma,
    )


def _faded_dye(rng: np.random.Generator) -> FilmLook:
    """Draw the look of colour film whose dyes have faded, one more than the others.

    The channel of that dye loses its dark tones: most often red, because of the cyan dye.
    """
    fade = rng.uniform(0.0, 0.08, 3)
    fade[rng.choice(3, p=(0.7, 0.08, 0.22))] += rng.uniform(0.05, 0.2)
    white = np.full(3, rng.uniform(0.85, 1.0)) * np.exp(rng.normal(0, 0.03, 3))
    return FilmLook(saturation=rng.uniform(0.5, 1.0), black=_rgb(fade), white=_rgb(white))


def _tape(rng: np.random.Generator) -> FilmLook:
    """Draw the look of video tape: raised blacks, low contrast, a wrong white point, reduced saturation."""
    black = rng.uniform(0.0, 0.14) + rng.uniform(-0.02, 0.02, 3)
    gains = rng.uniform(0.75, 1.0) * np.exp(rng.normal(0, 0.06, 3))
    return FilmLook(
        saturation=rng.uniform(0.35, 1.0),
        black=_rgb(black.clip(0, 1)),
        white=_rgb(gains),
        gamma=_equal(float(np.exp(rng.normal(0, 0.15)))),
    )


def _emulsion(rng: np.random.Generator) -> RGB:
    """Draw the colour sensitivity of monochrome film: from that of the eye to that of early film, which is
    insensitive to red."""
    blind = rng.random() ** 2
    weights = (1 - blind) * _LUMA + blind * np.array([0.0, 0.5, 0.5])
    return _rgb(weights)


def grain(noise: np.ndarray, level: np.ndarray, size: float) -> np.ndarray:
    """Make film grain from white noise.

    Args:
        noise: (H, W, C) white noise of unit deviation.
        level: (H, W, C) brightness in [0, 1]; grain is weaker towards black and white.
        size: Deviation of a grain in pixels.

    Returns:
        (H, W, C) grain, of unit deviation in the mid-tones.
    """
    if size > 0.2:
        noise = cv2.GaussianBlur(noise, (0, 0), size)
        noise = noise / max(float(noise.std()), 1e-6)
    noise = noise.reshape(*level.shape[:2], -1)
    return noise * (0.3 + 2.8 * level * (1 - level))
