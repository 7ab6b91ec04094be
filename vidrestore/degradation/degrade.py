"""Random, repeatable degradations of faces: blur, downscaling, noise, compression.

The chain is that of the paper, ``{[(I * k_sigma) down_r + n_delta] compressed} up_r`` (Zhou et al., 2022,
section 4.1). Its parameters are drawn in one of two forms: the paper's, or that of faces in videos. The
latter favours mild degradations, includes film grain, and uses a real video codec instead of JPEG for a share
of the faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from .codecs import compress_jpeg, compress_video
from .film import grain
from .resample import gaussian_matrices, resample, resize_matrix, shrink_matrix

#: Interpolation modes for downscaling; all but the first also for upscaling.
MODES = ("area", "bilinear", "bicubic")


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """The parameters of one degradation of a 512-pixel face. The default is the identity."""

    blur: float = 0.0  #: deviation of the Gaussian, pixels
    stretch: float = 1.0  #: the vertical deviation is ``blur * stretch``
    scale: float = 1.0  #: factor by which the sides are downscaled
    noise: float = 0.0  #: deviation of the noise, of 255
    grey_noise: bool = False  #: the same noise and grain in all three channels
    grain: float = 0.0  #: deviation of film grain in the mid-tones, of 255
    grain_size: float = 0.7  #: deviation of a grain in pixels of the downscaled image
    jpeg: int | None = None  #: JPEG quality, 1 to 100
    crf: int | None = None  #: constant rate factor of the video codec, 0 to 51; MPEG-2: quantiser scale
    codec: str = "h264"  #: the video codec, one of ``codecs.VIDEO_CODECS``
    offset: tuple[int, int] = (0, 0)  #: rows and columns before the downscaled image when it is compressed
    down: str = "area"
    up: str = "bicubic"


#: Fixed degradations for evaluation.
LEVELS = {
    "mild": Degradation(blur=1.5, scale=2.0, noise=4.0, jpeg=80),
    "medium": Degradation(blur=4.0, scale=5.0, noise=8.0, jpeg=60),
    "heavy": Degradation(blur=7.0, scale=10.0, noise=12.0, jpeg=40),
}

#: For each video codec: its share, and the range of its quality: best, worst for small and worst for large
#: images. A small image suffers more from the same quality.
_ENCODES = {"h264": (0.55, 18, 29, 35), "h265": (0.25, 20, 31, 37), "mpeg2": (0.20, 2, 9, 14)}


def draw(
    rng: np.random.Generator,
    *,
    form: str = "video",
    mono: bool = False,
    clean: float = 0.04,
    video: float = 0.3,
) -> Degradation:
    """Draw a degradation.

    Args:
        rng: The source of randomness.
        form: "video", for faces in videos; or "paper", with uniform distributions: sigma 1 to 15, r 1 to 30,
            delta 0 to 20, q 30 to 90.
        mono: The image is monochrome, so its noise is too.
        clean: Share of form "video" that is the identity.
        video: Share of form "video" that uses a video codec; the others use JPEG.

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
    if rng.random() < clean:
        return Degradation()
    # Skewed: mild degradations are more frequent than severe ones.
    scale = float(np.exp(rng.random() ** 1.5 * np.log(16.0)))
    codec = rng.choice(list(_ENCODES), p=[e[0] for e in _ENCODES.values()]) if rng.random() < video else None
    grained = rng.random() < (0.5 if mono else 0.06)
    compression: dict[str, Any] = {"jpeg": int(rng.integers(30, 96))}
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
        # The block grid of a codec has a random offset, except for faces that fill the frame.
        offset=tuple(rng.integers(0, 16, 2).tolist()) if rng.random() < 0.75 else (0, 0),
        down=MODES[rng.integers(3)],
        up=MODES[1 + rng.integers(2)],
    )


def degrade(face: Tensor, degradation: Degradation, seed: int = 0) -> Tensor:
    """Degrade a face (3, S, S) RGB uint8. The result has the same shape and type and depends on ``seed``.

    Runs on the face's device, except noise and compression, which run on the CPU.
    """
    d = degradation
    if d == Degradation():
        return face.clone()
    side = face.shape[-1]
    small = small_side(side, d)
    rows, columns = (
        shrink_matrix(side, small, s, d.down).to(face.device) for s in (d.blur * d.stretch, d.blur)
    )
    x = _add_noise_and_compress(resample(face.float(), rows, columns).cpu(), d, seed).to(face.device)
    enlarge = resize_matrix(small, side, d.up).to(face.device)
    return to_uint8(resample(x.float(), enlarge, enlarge))


def degrade_batch(faces: Tensor, degradations: Sequence[Degradation], seeds: Sequence[int]) -> Tensor:
    """Degrade faces (N, 3, S, S) RGB uint8, each with its own degradation and seed.

    The result is that of :func:`degrade` for each face, up to rounding. Blur and resizing run as one batch on
    the faces' device; noise and compression run on the CPU, with a thread per face.
    """
    device, side = faces.device, faces.shape[-1]
    out = faces.clone()
    chosen = [i for i, d in enumerate(degradations) if d != Degradation()]
    if not chosen:
        return out
    drawn = [degradations[i] for i in chosen]
    sizes = [small_side(side, d) for d in drawn]
    # All images are padded to the size of the largest, with zeros to the right and below.
    resizes = [resize_matrix(side, small, d.down) for small, d in zip(sizes, drawn, strict=True)]
    resize = pad_sequence(resizes, batch_first=True).to(device)
    rows, columns = (
        resize @ gaussian_matrices(side, torch.tensor(sigmas, device=device))
        for sigmas in zip(*((d.blur * d.stretch, d.blur) for d in drawn), strict=True)
    )
    shrunk = (rows[:, None] @ faces[chosen].float() @ columns[:, None].mT).cpu()
    small = torch.zeros(shrunk.shape, dtype=torch.uint8)

    def process(number: int) -> None:
        corner = (number, slice(None), slice(sizes[number]), slice(sizes[number]))
        small[corner] = _add_noise_and_compress(shrunk[corner], drawn[number], seeds[chosen[number]])

    with ThreadPoolExecutor() as pool:
        list(pool.map(process, range(len(chosen))))
    enlargements = [resize_matrix(s, side, d.up).T for s, d in zip(sizes, drawn, strict=True)]
    enlarge = pad_sequence(enlargements, batch_first=True).to(device)[:, None].mT
    out[chosen] = to_uint8(enlarge @ small.to(device).float() @ enlarge.mT)
    return out


def small_side(side: int, degradation: Degradation) -> int:
    """Return the side in pixels to which a face of ``side`` pixels is downscaled: even, at least 16."""
    return max(16, 2 * round(side / degradation.scale / 2))


def to_uint8(x: Tensor) -> Tensor:
    """Round and clip to uint8."""
    return x.round().clamp(0, 255).to(torch.uint8)


def _add_noise_and_compress(x: Tensor, d: Degradation, seed: int) -> Tensor:
    """Add noise to a downscaled face (3, s, s) float32 in [0, 255] and compress it; return it as uint8."""
    generator = torch.Generator().manual_seed(seed)
    noisy = to_uint8(_add_noise(x, d, generator))
    if d.jpeg is None and d.crf is None:
        return noisy
    image = _padded(noisy, d.offset)
    if d.jpeg is not None:
        image = compress_jpeg(image, d.jpeg)
    if d.crf is not None:
        # The previous frame: the same scene, shifted a little and with different noise.
        shift = torch.randint(-3, 4, (2,), generator=generator).tolist()
        before = to_uint8(_add_noise(x.roll(shift, (1, 2)), d, generator))
        image = compress_video([_padded(before, d.offset), image], d.codec, d.crf)
    top, left = d.offset
    side = x.shape[-1]
    face = image[top : top + side, left : left + side]
    return torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1)))


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


def _padded(x: Tensor, offset: tuple[int, int]) -> np.ndarray:
    """Convert (3, s, s) to (H, W, 3) with even sides, with ``offset`` rows and columns before the image."""
    image = np.ascontiguousarray(x.permute(1, 2, 0).numpy())
    top, left = offset
    if offset == (0, 0):
        return image
    return cv2.copyMakeBorder(image, top, top % 2, left, left % 2, cv2.BORDER_REFLECT_101)
