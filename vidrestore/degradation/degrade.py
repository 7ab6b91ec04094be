"""Repeatable degradations of faces: blur, downscaling, noise, compression, and what video adds to them.

The chain is that of the paper, ``{[(I * k_sigma) down_r + n_delta] compressed} up_r`` (Zhou et al., 2022,
section 4.1). Film grain, combing and tape come before compression, and a denoiser and a sharpener after it.
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

from .codecs import compress_jpeg, compress_video
from .film import grain
from .resample import gaussian_matrices, resample, resize_matrix, shrink_matrix
from .tape import comb, denoise, sharpen, tape

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
    comb: float = 0.0  #: motion between the two fields of an interlaced frame, pixels of the downscaled image
    tape: float = 0.0  #: strength of the artefacts of home video tape, 0 to 1
    jpeg: int | None = None  #: JPEG quality, 1 to 100
    crf: int | None = None  #: constant rate factor of the video codec, 0 to 51; MPEG-2: quantiser scale
    codec: str = "h264"  #: the video codec, one of ``codecs.VIDEO_CODECS``
    offset: tuple[int, int] = (0, 0)  #: rows and columns before the downscaled image when it is compressed
    denoise: float = 0.0  #: differences, of 255, that a denoiser smooths after decoding
    sharpen: float = 0.0  #: amount of unsharp masking after that
    down: str = "area"
    up: str = "bicubic"


#: Fixed degradations for evaluation.
LEVELS = {
    "mild": Degradation(blur=1.5, scale=2.0, noise=4.0, jpeg=80),
    "medium": Degradation(blur=4.0, scale=5.0, noise=8.0, jpeg=60),
    "heavy": Degradation(blur=7.0, scale=10.0, noise=12.0, jpeg=40),
}


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
    x = _record(resample(face.float(), rows, columns).cpu(), d, seed).to(face.device)
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
        small[corner] = _record(shrunk[corner], drawn[number], seeds[chosen[number]])

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


def _record(x: Tensor, d: Degradation, seed: int) -> Tensor:
    """Do to a downscaled face (3, s, s) float32 in [0, 255] what happens from camera to screen; return it as
    uint8."""
    image = _add_noise_and_compress(x, d, torch.Generator().manual_seed(seed))
    if d.denoise > 0:
        image = denoise(image, d.denoise)
    if d.sharpen > 0:
        image = sharpen(image, d.sharpen)
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def _add_noise_and_compress(x: Tensor, d: Degradation, generator: torch.Generator) -> np.ndarray:
    """Add noise to a downscaled face (3, s, s) float32 in [0, 255] and compress it: (s, s, 3) uint8."""
    noisy = to_uint8(_add_noise(x, d, generator))
    if d.jpeg is None and d.crf is None:
        return noisy.permute(1, 2, 0).numpy()
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
    return image[top : top + side, left : left + side]


def _add_noise(x: Tensor, d: Degradation, generator: torch.Generator) -> Tensor:
    shape = (1 if d.grey_noise else 3, *x.shape[1:])
    out = x
    if d.comb or d.tape > 0:
        image = comb(x.permute(1, 2, 0).contiguous().numpy(), d.comb)
        if d.tape > 0:
            rng = np.random.default_rng(int(torch.randint(2**31, (), generator=generator)))
            image = tape(image, d.tape, rng, mono=d.grey_noise)
        out = torch.from_numpy(image).permute(2, 0, 1)
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
