"""Degradations: what cameras, scaling and codecs do to a face, drawn at random and repeatable.

The chain is the paper's, ``{[(I * k_sigma) down_r + n_delta] compressed} up_r`` (Zhou et al., 2022,
section 4.1), with ranges skewed towards mild ones and, for a share of the faces, a real H.264 encode
in the place of JPEG, since faces here come from video.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import av
import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Interpolations that a face is scaled down and up by.
MODES = ("area", "bilinear", "bicubic")


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """One degradation, at the scale of a 512-pixel face. The default changes nothing."""

    blur: float = 0.0  #: deviation of the Gaussian, pixels
    stretch: float = 1.0  #: its deviation in y is ``blur * stretch``
    scale: float = 1.0  #: factor that the sides are divided by
    noise: float = 0.0  #: deviation of the noise, of 255
    grey_noise: bool = False  #: the same noise in the three channels
    jpeg: int | None = None  #: JPEG quality, 1 to 100
    crf: int | None = None  #: H.264 constant rate factor, 0 to 51
    down: str = "area"
    up: str = "bicubic"


#: Fixed degradations that results are reported at.
LEVELS = {
    "mild": Degradation(blur=1.5, scale=2.0, noise=4.0, jpeg=80),
    "medium": Degradation(blur=4.0, scale=5.0, noise=8.0, jpeg=60),
    "heavy": Degradation(blur=7.0, scale=10.0, noise=12.0, jpeg=40),
}


def draw(rng: np.random.Generator, *, clean: float = 0.04, video: float = 0.3) -> Degradation:
    """Draw a degradation; ``clean`` of them change nothing, ``video`` of them hold an H.264 encode."""
    if rng.random() < clean:
        return Degradation()
    codec = rng.random() < video
    # Squared, so that mild ones are more frequent than severe ones.
    severity = rng.random() ** 1.5
    scale = float(np.exp(severity * np.log(16.0)))
    small = 512 / scale
    return Degradation(
        blur=float(rng.uniform(0.2, 1.0) * min(10.0, 0.6 + scale)),
        stretch=float(np.exp(rng.normal(0, 0.25))),
        scale=scale,
        noise=float(rng.uniform(0, 15) * rng.random()),
        grey_noise=bool(rng.random() < 0.4),
        jpeg=None if codec else int(rng.integers(30, 96)),
        # A small picture has little to lose: the same factor hurts it more.
        crf=int(rng.integers(18, 36 if small > 128 else 30)) if codec else None,
        down=MODES[rng.integers(3)],
        up=MODES[1 + rng.integers(2)],
    )


def degrade(face: Tensor, degradation: Degradation, seed: int = 0) -> Tensor:
    """``face`` (3, S, S) RGB uint8 -> the same shape and type, degraded; repeatable by ``seed``.

    Runs on the face's device but for the compression, which is the CPU's.
    """
    side = face.shape[-1]
    d = degradation
    if d == Degradation():
        return face.clone()
    small = max(16, 2 * round(side / d.scale / 2))
    rows = _shrink(side, small, d.blur * d.stretch, d.down).to(face.device)
    columns = _shrink(side, small, d.blur, d.down).to(face.device)
    x = rows @ face.float() @ columns.T
    if d.noise > 0:
        generator = torch.Generator().manual_seed(seed)
        shape = (1 if d.grey_noise else 3, small, small)
        x = x + d.noise * torch.randn(shape, generator=generator).to(x)
    x = _to_uint8(x)
    if d.jpeg is not None:
        x = _jpeg(x, d.jpeg)
    if d.crf is not None:
        x = _h264(x, d.crf)
    grow = _resize_matrix(small, side, d.up).to(face.device)
    return _to_uint8(grow @ x.float() @ grow.T)


def _to_uint8(x: Tensor) -> Tensor:
    return x.round().clamp(0, 255).to(torch.uint8)


@lru_cache(maxsize=512)
def _resize_matrix(size: int, out: int, mode: str) -> Tensor:
    """(out, size): interpolation of a line as a matrix, so that blur and scaling are two products."""
    if size == out:
        return torch.eye(size)
    lines = torch.eye(size)[None]  # each channel a line that is 1 at one place
    if mode == "area":
        return F.interpolate(lines, size=out, mode="area")[0].T.contiguous()
    image = lines[:, :, None].expand(-1, -1, 4, -1)  # height is of no matter
    return F.interpolate(image, size=(4, out), mode=mode, antialias=True)[0, :, 0].T.contiguous()


def _shrink(side: int, small: int, sigma: float, mode: str) -> Tensor:
    """(small, side): a Gaussian blur followed by a resize."""
    resize = _resize_matrix(side, small, mode)
    if sigma < 0.1:
        return resize
    at = torch.arange(side, dtype=torch.float32)
    kernel = torch.exp(-0.5 * ((at[:, None] - at) / sigma) ** 2)
    return resize @ (kernel / kernel.sum(dim=1, keepdim=True))


def _jpeg(x: Tensor, quality: int) -> Tensor:
    image = np.ascontiguousarray(x.flip(0).permute(1, 2, 0).cpu().numpy())  # BGR, as OpenCV has it
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return torch.from_numpy(decoded).permute(2, 0, 1).flip(0).to(x.device)


def _h264(x: Tensor, crf: int) -> Tensor:
    """The second frame of a two-frame clip: one that is predicted, as most frames of a video are."""
    frame = x.permute(1, 2, 0).cpu().numpy()
    clip = (np.roll(frame, 2, axis=(0, 1)), frame)
    file = io.BytesIO()
    with av.open(file, "w", format="h264") as container:
        options = {"crf": str(crf), "preset": "veryfast", "threads": "1", "bf": "0", "rc-lookahead": "0"}
        stream = container.add_stream("libx264", rate=Fraction(25), options=options)
        stream.height, stream.width = frame.shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in clip:
            video_frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(video_frame))
        container.mux(stream.encode())
    file.seek(0)
    with av.open(file, format="h264") as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    return torch.from_numpy(frames[-1]).permute(2, 0, 1).to(x.device)
