"""Reading an RGB crop out of a frame's own planes, and blending one back in.

Nothing here converts a whole frame. A crop is described by its ``matrix``, (2, 3) or (3, 3): the affine map
from frame pixels to crop pixels, both with (0, 0) the top left corner of the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..runtime.streams import upload
from .colour import Colour
from .pixels import PixelFormat


@dataclass(frozen=True)
class Picture:
    """A frame's planes, over the frame's own memory, with what their values mean."""

    planes: list[np.ndarray]  #: (height, width) each: Y, U, V, or G, B, R, or Y alone; alpha last
    form: PixelFormat
    colour: Colour

    def read(self, matrix: np.ndarray, size: int, device: torch.device | str = "cpu") -> Tensor:
        """The crop of ``size`` x ``size`` pixels as (3, size, size) float32 R'G'B' in [0, 1], of HDR as SDR
        shows it.

        Bilinear, filtered first where the crop is smaller than what it shows; beyond the frame's
        edge its border is repeated.
        """
        to_frame = np.linalg.inv(_square(matrix))
        channels = []
        for planes, scale in self._alike():
            parts, shift = _needed_parts(planes, scale @ to_frame, size)
            channels += _sample(upload(parts, device).float(), shift @ scale @ to_frame, size)
        bits = self.form.bits
        if self.form.is_rgb:
            g, b, r = channels
            rgb = torch.stack((r, g, b)) / float((1 << bits) - 1)
        elif self.form.has_chroma:
            rgb = self.colour.yuv_to_rgb(torch.stack(channels), bits)
        else:
            rgb = self.colour.luma_from_code(channels[0], bits).expand(3, -1, -1)
        return self.colour.to_sdr(rgb).clamp(0, 1)

    def blend(self, rgb: Tensor, mask: Tensor, matrix: np.ndarray) -> None:
        """Write a crop back, in place: ``plane + mask * (crop - plane)``, rounded.

        ``rgb`` (3, S, S) R'G'B' in [0, 1], ``mask`` (S, S) in [0, 1]. Samples under a zero mask keep
        their value to the bit; samples outside the crop's rectangle are not even read.
        """
        bits = self.form.bits
        rgb = self.colour.from_sdr(rgb.float().clamp(0, 1))
        if self.form.is_rgb:
            values = rgb[[1, 2, 0]] * float((1 << bits) - 1)
        elif self.form.has_chroma:
            values = self.colour.rgb_to_yuv(rgb, bits)
        else:
            values = self.colour.rgb_to_yuv(rgb, bits)[:1]
        # Nothing is written beyond the crop: there its border goes on, which has no mask.
        inside = F.pad(mask.to(values)[1:-1, 1:-1], (1, 1, 1, 1))[None]
        from_frame = _square(matrix)
        done = 0
        for planes, scale in self._alike():
            layers = torch.cat((values[done : done + len(planes)], inside))
            _blend_planes(planes, layers, from_frame @ np.linalg.inv(scale), bits)
            done += len(planes)

    def _alike(self) -> list[tuple[list[np.ndarray], np.ndarray]]:
        """The colour planes, those that lie alike together, with the (3, 3) map from frame pixels to
        theirs."""
        luma = np.eye(3)
        if not self.form.has_chroma:
            return [(self.planes[: self.form.colour_planes], luma)]
        across, down = (2.0**-s for s in self.form.subsampling)
        # A sample on the left of its luma samples has its centre half a luma pixel from their edge.
        left, top = self.colour.chroma_offset
        chroma = np.array([[across, 0, left * (1 - across) / 2], [0, down, top * (1 - down) / 2], [0, 0, 1]])
        return [(self.planes[:1], luma), (self.planes[1:3], chroma)]


def _square(matrix: np.ndarray) -> np.ndarray:
    return matrix if matrix.shape == (3, 3) else np.vstack((matrix, (0.0, 0.0, 1.0)))


def _rectangle(to_plane: np.ndarray, size: int, shape: tuple[int, int], margin: int) -> tuple[int, ...]:
    """Rows and columns of a plane of ``shape`` that a crop of ``size`` covers: y0, y1, x0, x1."""
    corners = to_plane @ np.array([[0, size, 0, size], [0, 0, size, size], [1, 1, 1, 1]], float)
    (x0, y0), (x1, y1) = corners[:2].min(axis=1), corners[:2].max(axis=1)
    height, width = shape
    return (
        max(0, math.floor(y0) - margin),
        min(height, math.ceil(y1) + margin),
        max(0, math.floor(x0) - margin),
        min(width, math.ceil(x1) + margin),
    )


def _needed_parts(planes: list[np.ndarray], to_plane: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The part of the planes that a crop looks at, (C, H, W), and the map from their pixels to it."""
    height, width = planes[0].shape
    y0, y1, x0, x1 = _rectangle(to_plane, size, (height, width), margin=2)
    # A crop wholly outside still sees the nearest border.
    y0, x0 = min(y0, height - 1), min(x0, width - 1)
    parts = [plane[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] for plane in planes]
    return _samples(parts), np.array([[1.0, 0, -x0], [0, 1.0, -y0], [0, 0, 1.0]])


def _samples(parts: list[np.ndarray]) -> np.ndarray:
    """Parts of planes together, in bytes or else in int32: that is what every device can count in."""
    stacked = np.stack(parts)
    return stacked if stacked.dtype == np.uint8 else stacked.astype(np.int32)


def _prefiltered(image: Tensor, to_image: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Shrink ``image`` (1, C, H, W) to the scale at which ``to_image`` samples it, against aliasing.

    Returns the image and the map corrected for its new size.
    """
    step = math.sqrt(abs(np.linalg.det(to_image[:2, :2])))
    if step <= 1:
        return image, to_image
    height, width = image.shape[-2:]
    size = (max(1, round(height / step)), max(1, round(width / step)))
    image = F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
    return image, np.diag([size[1] / width, size[0] / height, 1.0]) @ to_image


def _grid(to_image: np.ndarray, x0: int, y0: int, width: int, height: int, image: Tensor) -> Tensor:
    """Where in ``image`` the centres of the pixels x0.., y0.. lie, as grid_sample wants them."""
    rows, columns = image.shape[-2:]
    # To [-1, 1] over the image's edges (grid_sample with align_corners=False).
    # The offset of the first pixel is taken in here, in double precision: what is left fits a float32.
    m = np.array([[2 / columns, 0, -1], [0, 2 / rows, -1], [0, 0, 1]]) @ to_image
    (a, b, c), (d, e, f) = (m @ np.array([[1, 0, x0 + 0.5], [0, 1, y0 + 0.5], [0, 0, 1]]))[:2].tolist()
    x = torch.arange(width, device=image.device, dtype=torch.float32)[None, :]
    y = torch.arange(height, device=image.device, dtype=torch.float32)[:, None]
    return torch.stack((a * x + b * y + c, d * x + e * y + f), dim=-1)[None]


def _sample(parts: Tensor, to_part: np.ndarray, size: int) -> Tensor:
    """``parts`` (C, H, W) seen through ``to_part`` (crop pixels to their pixels) -> (C, size, size)."""
    image, to_part = _prefiltered(parts[None], to_part)
    grid = _grid(to_part, 0, 0, size, size, image)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=False)[0]


def _blend_planes(planes: list[np.ndarray], layers: Tensor, to_crop: np.ndarray, bits: int) -> None:
    """Blend ``layers`` (C + 1, S, S), values and mask, into C planes; ``to_crop`` maps their pixels there."""
    size = layers.shape[-1]
    y0, y1, x0, x1 = _rectangle(np.linalg.inv(to_crop), size, planes[0].shape, margin=0)
    if y0 >= y1 or x0 >= x1:
        return
    image, to_image = _prefiltered(layers[None], to_crop)
    grid = _grid(to_image, x0, y0, x1 - x0, y1 - y0, image)
    seen = F.grid_sample(image, grid, padding_mode="border", align_corners=False)[0]
    targets = [plane[y0:y1, x0:x1] for plane in planes]
    samples = upload(_samples(targets), image.device)
    blended = torch.lerp(samples.float(), seen[:-1], seen[-1]).round_().clamp_(0, (1 << bits) - 1)
    # Where the mask is zero the sum is exact already: lerp(a, b, 0) is a, and a is a whole number.
    for target, changed in zip(targets, blended.to(samples.dtype).cpu().numpy(), strict=True):
        target[...] = changed
