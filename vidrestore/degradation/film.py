"""How old film and tape look: grey, tinted, faded. A face's look is its own: it is in the target as
well as in the degraded face, since a restorer keeps colours and does not correct them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

#: Shares of the faces that are grey and that have a cast.
GREY, CAST = 0.12, 0.10

_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, kw_only=True)
class Look:
    """Colours of a picture, as a mixing of its channels and a tone curve for each, in [0, 1]. The
    default changes nothing."""

    saturation: float = 1.0  #: 0 leaves one channel, a mixture by ``weights``
    weights: tuple[float, float, float] = tuple(_LUMA)
    black: tuple[float, float, float] = (0.0, 0.0, 0.0)  #: what black becomes
    white: tuple[float, float, float] = (1.0, 1.0, 1.0)  #: what white becomes
    gamma: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def mono(self) -> bool:
        """Whether the picture has one channel only, be it tinted: so has its noise then."""
        return self.saturation == 0

    def __call__(self, face: np.ndarray) -> np.ndarray:
        """(S, S, 3) RGB uint8 -> the same, with this look."""
        if self.saturation < 1:
            mix = self.saturation * np.eye(3) + (1 - self.saturation) * np.tile(self.weights, (3, 1))
            face = cv2.transform(face, mix)
        black, white = np.array(self.black), np.array(self.white)
        levels = black + (white - black) * np.linspace(0, 1, 256)[:, None] ** np.array(self.gamma)
        table = (levels.clip(0, 1) * 255 + 0.5).astype(np.uint8)
        return cv2.LUT(face, table[None])


def draw_look(rng: np.random.Generator) -> Look:
    """Draw a look: ``GREY`` of them grey, ``CAST`` with a cast, the others a little recoloured."""
    kind = rng.random()
    if kind < GREY:
        return _grey(rng)
    if kind < GREY + CAST:
        return (_sepia, _faded_dye, _tape)[rng.integers(3)](rng)
    gains = np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.05, 3))
    return Look(white=tuple(gains), gamma=(float(np.exp(rng.normal(0, 0.12))),) * 3)


def _grey(rng: np.random.Generator) -> Look:
    """Black and white, from one end of the contrast a print can have to the other."""
    black = max(0.0, rng.normal(0, 0.06))
    white = min(1.1, rng.normal(0.95, 0.1))
    gamma = float(np.exp(rng.normal(0, 0.2)))
    return Look(
        saturation=0.0, weights=_emulsion(rng), black=(black,) * 3, white=(white,) * 3, gamma=(gamma,) * 3
    )


def _sepia(rng: np.random.Generator) -> Look:
    """One channel under a warm, now and then a cold, tint."""
    grey = _grey(rng)
    strength = rng.uniform(0.05, 0.3) * rng.choice((1, 1, 1, -0.5))
    tint = np.array([1.0, 1 - 0.45 * strength, 1 - strength])
    tint /= tint.max()
    stain = np.array([0.06, 0.03, 0.0]) * rng.random()
    return Look(
        saturation=0.0,
        weights=grey.weights,
        black=tuple(np.array(grey.black) + stain),
        white=tuple(np.array(grey.white) * tint),
        gamma=grey.gamma,
    )


def _faded_dye(rng: np.random.Generator) -> Look:
    """Colour film whose dyes have faded, one more than the others: its channel has lost its darks,
    most often the red one by the cyan dye."""
    fade = rng.uniform(0.0, 0.08, 3)
    fade[rng.choice(3, p=(0.7, 0.08, 0.22))] += rng.uniform(0.05, 0.2)
    white = np.full(3, rng.uniform(0.85, 1.0)) * np.exp(rng.normal(0, 0.03, 3))
    return Look(saturation=rng.uniform(0.5, 1.0), black=tuple(fade), white=tuple(white))


def _tape(rng: np.random.Generator) -> Look:
    """Video tape: lifted blacks, low contrast, a wrong white, weak or strong colour."""
    black = rng.uniform(0.0, 0.14) + rng.uniform(-0.02, 0.02, 3)
    gains = rng.uniform(0.75, 1.0) * np.exp(rng.normal(0, 0.06, 3))
    return Look(
        saturation=rng.uniform(0.35, 1.0),
        black=tuple(black.clip(0, 1)),
        white=tuple(gains),
        gamma=(float(np.exp(rng.normal(0, 0.15))),) * 3,
    )


def _emulsion(rng: np.random.Generator) -> tuple[float, float, float]:
    """How a grey picture weighs its colours: from the eye's way to that of early film, blind to red."""
    blind = rng.random() ** 2
    weights = (1 - blind) * _LUMA + blind * np.array([0.0, 0.5, 0.5])
    return tuple(weights)


def grain(noise: np.ndarray, level: np.ndarray, size: float) -> np.ndarray:
    """Film grain of unit deviation in the mid-tones: white ``noise`` (H, W, C) made into grains of
    deviation ``size`` pixels, weaker towards black and white as in ``level`` (H, W, C) in [0, 1]."""
    if size > 0.2:
        noise = cv2.GaussianBlur(noise, (0, 0), size)
        noise = noise / max(float(noise.std()), 1e-6)
    noise = noise.reshape(*level.shape[:2], -1)
    return noise * (0.3 + 2.8 * level * (1 - level))
