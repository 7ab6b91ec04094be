"""Random degradations of faces, in one of two forms: the paper's (Zhou et al., 2022, section 4.1), or that of
faces in videos.

The latter favours mild degradations, includes film grain, interlacing, tape and soft broadcasts, and uses a
real video codec instead of JPEG for a share of the faces.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from .degrade import MODES, Degradation

#: Shares of form "video": interlaced video woven without deinterlacing; home video tape; broadcasts that were
#: denoised and upscaled.
COMBED, TAPED, SOFT = 0.04, 0.06, 0.15

#: Share of form "video" that is the identity.
_CLEAN = 0.04
#: Share of form "video" that uses a video codec; the others use JPEG.
_CODED = 0.3
#: For each video codec: its share, and the range of its quality: best, worst for small and worst for large
#: images. A small image suffers more from the same quality.
_ENCODES = {"h264": (0.55, 18, 29, 35), "h265": (0.25, 20, 31, 37), "mpeg2": (0.20, 2, 9, 14)}


def draw(rng: np.random.Generator, *, form: str = "video", mono: bool = False) -> Degradation:
    """Draw a degradation.

    Args:
        rng: The source of randomness.
        form: "video", for faces in videos; or "paper", with uniform distributions: sigma 1 to 15, r 1 to 30,
            delta 0 to 20, q 30 to 90.
        mono: The image is monochrome, so its noise is too.

    Raises:
        ValueError: ``form`` is unknown.
    """
    if form == "paper":
        return Degradation(
            blur=float(rng.uniform(1, 15)),
            scale=float(rng.uniform(1, 30)),
            noise=float(rng.uniform(0, 20)),
            grey_noise=mono,
            jpeg=int(rng.integers(30, 91)),
            down="bilinear",
            up="bilinear",
        )
    if form != "video":
        raise ValueError(f'unknown form of degradations {form!r}; choose "video" or "paper"')
    if rng.random() < _CLEAN:
        return Degradation()
    # Skewed: mild degradations are more frequent than severe ones.
    scale = float(np.exp(rng.random() ** 1.5 * np.log(16.0)))
    codec = rng.choice(list(_ENCODES), p=[e[0] for e in _ENCODES.values()]) if rng.random() < _CODED else None
    grained = rng.random() < (0.5 if mono else 0.06)
    compression: dict[str, Any] = {"jpeg": int(rng.integers(30, 96))}
    if codec is not None:
        _, best, worst_small, worst = _ENCODES[codec]
        crf = int(rng.integers(best, (worst if 512 / scale > 128 else worst_small) + 1))
        compression = {"crf": crf, "codec": str(codec)}
    drawn = Degradation(
        blur=float(rng.uniform(0.2, 1.0) * min(10.0, 0.6 + scale)),
        stretch=float(np.exp(rng.normal(0, 0.25))),
        scale=scale,
        noise=float(rng.uniform(0, 15) * rng.random()),
        grey_noise=bool(mono or rng.random() < 0.4),
        grain=float(rng.uniform(3, 14)) if grained else 0.0,
        grain_size=float(rng.uniform(0.2, 1.2)),
        **compression,
        # The block grid of a codec has a random offset, except for faces that fill the frame.
        offset=tuple(rng.integers(0, 16, 2).tolist()) if rng.random() < 0.75 else (0, 0),
        down=MODES[rng.integers(3)],
        up=MODES[1 + rng.integers(2)],
    )
    return _with_source(drawn, rng)


def _with_source(d: Degradation, rng: np.random.Generator) -> Degradation:
    """Draw the kind of source; return ``d`` with what interlaced video, a tape or a soft broadcast adds, or
    else unchanged. A soft broadcast was denoised and upscaled: it is blurred, but has little noise."""
    kind = rng.random()
    if kind < COMBED:
        return replace(d, comb=float(rng.uniform(0.5, 3.0) * rng.choice((-1, 1))))
    if kind < COMBED + TAPED:
        return replace(d, tape=float(rng.uniform(0.3, 1.0)))
    if kind < COMBED + TAPED + SOFT:
        sharpen = float(rng.uniform(0.2, 1.0)) if rng.random() < 0.4 else 0.0
        return replace(
            d,
            scale=min(d.scale, float(rng.uniform(1.0, 5.0))),
            blur=float(rng.uniform(0.8, 5.0)),
            noise=0.3 * d.noise,
            grain=0.0,
            denoise=float(rng.uniform(8, 40)),
            sharpen=sharpen,
        )
    return d
