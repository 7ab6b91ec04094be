"""Degradations: what cameras, film, scaling and codecs do to a face, drawn at random and repeatable.

The chain is the paper's, ``{[(I * k_sigma) down_r + n_delta] compressed} up_r`` (Zhou et al., 2022,
section 4.1). It is drawn in two forms: the paper's own, and that of faces in videos, which has ranges
skewed towards mild ones, grain of old film and, for a share of the faces, a real video encode in the
place of JPEG.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .codecs import jpeg, last_frame
from .film import grain
from .resample import gaussian_matrices, resample, resize_matrix, shrink_matrix

#: Interpolations that a face is scaled down and up by.
MODES = ("area", "bilinear", "bicubic")


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """One degradation, at the scale of a 512-pixel face. The default changes nothing."""

    blur: float = 0.0  #: deviation of the Gaussian, pixels
    stretch: float = 1.0  #: its deviation in y is ``blur * stretch``
    scale: float = 1.0  #: factor that the sides are divided by
    noise: float = 0.0  #: deviation of the noise, of 255
    grey_noise: bool = False  #: the same noise and grain in the three channels
    grain: float = 0.0  #: deviation of film grain in the mid-tones, of 255
    grain_size: float = 0.7  #: deviation of a grain in pixels of the small picture
    jpeg: int | None = None  #: JPEG quality, 1 to 100
    crf: int | None = None  #: constant rate factor of the video encode, 0 to 51; MPEG-2's quantiser scale
    codec: str = "h264"  #: which video encode ``crf`` is of: one of ``codecs.VIDEO_CODECS``
    offset: tuple[int, int] = (0, 0)  #: rows and columns before the small picture when compressed
    down: str = "area"
    up: str = "bicubic"


#: Fixed degradations that results are reported at.
LEVELS = {
    "mild": Degradation(blur=1.5, scale=2.0, noise=4.0, jpeg=80),
    "medium": Degradation(blur=4.0, scale=5.0, noise=8.0, jpeg=60),
    "heavy": Degradation(blur=7.0, scale=10.0, noise=12.0, jpeg=40),
}

#: For each video codec: its share, and its quality's range, the end that a small picture gets and the
#: end that a large one gets: a small picture has little to lose, so the same quality hurts it more.
_ENCODES = {"h264": (0.55, 18, 29, 35), "h265": (0.25, 20, 31, 37), "mpeg2": (0.20, 2, 9, 14)}


def draw(
    rng: np.random.Generator,
    *,
    form: str = "video",
    mono: bool = False,
    clean: float = 0.04,
    video: float = 0.3,
) -> Degradation:
    """Draw a degradation of a form.

    ``video``: faces of videos; ``clean`` of them change nothing, ``video`` of them hold a video encode,
    the others JPEG. ``paper``: sigma 1 to 15, r 1 to 30, delta 0 to 20, q 30 to 90, all uniform.
    A picture of one channel (``mono``) gets noise of one channel. Raises ValueError for another form.
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
        raise ValueError(f'there is no form "{form}" of degradations: take "video" or "paper"')
    if rng.random() < clean:
        return Degradation()
    # Skewed, so that mild ones are more frequent than severe ones.
    scale = float(np.exp(rng.random() ** 1.5 * np.log(16.0)))
    codec = rng.choice(list(_ENCODES), p=[e[0] for e in _ENCODES.values()]) if rng.random() < video else None
    grained = rng.random() < (0.5 if mono else 0.06)
    compression = {"jpeg": int(rng.integers(30, 96))}
    if codec is not None:
        _, best, worst_small, worst = _ENCODES[codec]
        crf = int(rng.integers(best, (worst if 512 / scale > 128 else worst_small) + 1))
        compression = {"crf": crf, "codec": str(codec)}
    return Degradation(
        blur=float(rng.uniform(0.2, 1.0) * min(10.0, 0.6 + scale)),
        stretch=float(np.exp(rng.normal(0, 0.25))),
        scale=scale,
        noise=float(rng.uniform(0, 15) * rng.random()),
        grey_noise=bool(mono or rng.random() < 0.4),
        grain=float(rng.uniform(3, 14)) if grained else 0.0,
        grain_size=float(rng.uniform(0.2, 1.2)),
        **compression,
        # A codec's blocks lie anywhere in a face, but for the faces that fill the picture.
        offset=tuple(rng.integers(0, 16, 2).tolist()) if rng.random() < 0.75 else (0, 0),
        down=MODES[rng.integers(3)],
        up=MODES[1 + rng.integers(2)],
    )


def degrade(face: Tensor, degradation: Degradation, seed: int = 0) -> Tensor:
    """``face`` (3, S, S) RGB uint8 -> the same shape and type, degraded; repeatable by ``seed``.

    Runs on the face's device but for noise and compression, which are the CPU's.
    """
    d = degradation
    if d == Degradation():
        return face.clone()
    side = face.shape[-1]
    small = small_side(side, d)
    rows, columns = (
        shrink_matrix(side, small, s, d.down).to(face.device) for s in (d.blur * d.stretch, d.blur)
    )
    x = _record(resample(face.float(), rows, columns).cpu(), d, seed).to(face.device)
    grow = resize_matrix(small, side, d.up).to(face.device)
    return to_uint8(resample(x.float(), grow, grow))


def degrade_batch(faces: Tensor, degradations: Sequence[Degradation], seeds: Sequence[int]) -> Tensor:
    """``faces`` (N, 3, S, S) RGB uint8, each with a degradation and a seed -> the same, degraded.

    As :func:`degrade` face by face but for rounding, with the blurring and scaling of all of them at once
    on their device. Noise and compression are the CPU's, a thread a face.
    """
    device, side = faces.device, faces.shape[-1]
    out = faces.clone()
    chosen = [i for i, d in enumerate(degradations) if d != Degradation()]
    if not chosen:
        return out
    drawn = [degradations[i] for i in chosen]
    sizes = [small_side(side, d) for d in drawn]
    # All are padded to the largest of them: a smaller one has zeros to its right and below it.
    resizes = [resize_matrix(side, small, d.down) for small, d in zip(sizes, drawn, strict=True)]
    resize = pad_sequence(resizes, batch_first=True).to(device)
    rows, columns = (
        resize @ gaussian_matrices(side, torch.tensor(sigmas, device=device))
        for sigmas in zip(*((d.blur * d.stretch, d.blur) for d in drawn), strict=True)
    )
    shrunk = (rows[:, None] @ faces[chosen].float() @ columns[:, None].mT).cpu()
    small = torch.zeros(shrunk.shape, dtype=torch.uint8)

    def record(number: int) -> None:
        corner = (number, slice(None), slice(sizes[number]), slice(sizes[number]))
        small[corner] = _record(shrunk[corner], drawn[number], seeds[chosen[number]])

    with ThreadPoolExecutor() as pool:
        list(pool.map(record, range(len(chosen))))
    growths = [resize_matrix(s, side, d.up).T for s, d in zip(sizes, drawn, strict=True)]
    grow = pad_sequence(growths, batch_first=True).to(device)[:, None].mT
    out[chosen] = to_uint8(grow @ small.to(device).float() @ grow.mT)
    return out


def small_side(side: int, degradation: Degradation) -> int:
    """Pixels a side that a face of ``side`` is scaled down to: even, at least 16."""
    return max(16, 2 * round(side / degradation.scale / 2))


def to_uint8(x: Tensor) -> Tensor:
    """Rounded and clipped."""
    return x.round().clamp(0, 255).to(torch.uint8)


def _record(x: Tensor, d: Degradation, seed: int) -> Tensor:
    """Noise and compression of a small picture (3, s, s) float of 255 -> uint8."""
    generator = torch.Generator().manual_seed(seed)
    noisy = to_uint8(_add_noise(x, d, generator))
    if d.jpeg is None and d.crf is None:
        return noisy
    picture = _place(noisy, d.offset)
    if d.jpeg is not None:
        picture = jpeg(picture, d.jpeg)
    if d.crf is not None:
        # The frame before: the same scene a little elsewhere, under noise of its own.
        move = torch.randint(-3, 4, (2,), generator=generator).tolist()
        before = to_uint8(_add_noise(x.roll(move, (1, 2)), d, generator))
        picture = last_frame([_place(before, d.offset), picture], d.codec, d.crf)
    top, left = d.offset
    side = x.shape[-1]
    return torch.from_numpy(
        np.ascontiguousarray(picture[top : top + side, left : left + side].transpose(2, 0, 1))
    )


def _add_noise(x: Tensor, d: Degradation, generator: torch.Generator) -> Tensor:
    shape = (1 if d.grey_noise else 3, *x.shape[1:])
    out = x
    if d.noise > 0:
        out = out + d.noise * torch.randn(shape, generator=generator)
    if d.grain > 0:
        noise = torch.randn(shape, generator=generator).permute(1, 2, 0).contiguous().numpy()
        level = (x / 255).permute(1, 2, 0).clamp(0, 1).numpy()
        out = out + d.grain * torch.from_numpy(grain(noise, level, d.grain_size)).permute(2, 0, 1)
    return out


def _place(x: Tensor, offset: tuple[int, int]) -> np.ndarray:
    """(3, s, s) -> (H, W, 3), with ``offset`` rows and columns before it and even sides."""
    picture = np.ascontiguousarray(x.permute(1, 2, 0).numpy())
    top, left = offset
    if offset == (0, 0):
        return picture
    return cv2.copyMakeBorder(picture, top, top % 2, left, left % 2, cv2.BORDER_REFLECT_101)
