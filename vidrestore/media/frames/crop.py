"""Reading an RGB crop out of a frame's own planes, and blending one back in.

Nothing here converts a whole frame. A crop is described by its ``matrix``, (2, 3) or (3, 3): the affine map
from frame pixels to crop pixels, both with (0, 0) the top left corner of the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload
from .colour import Colour
from .pixel_format import PixelFormat


@dataclass(frozen=True)
class PlanarImage:
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
            channels += _seen_through(upload(parts, device).float(), shift @ scale @ to_frame, size, size)
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
        box = _box(mask, from_frame)
        done = 0
        for planes, scale in self._alike():
            layers = torch.cat((values[done : done + len(planes)], inside))
            _blend_planes(planes, layers, from_frame @ np.linalg.inv(scale), box, bits)
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


def _box(mask: Tensor, from_frame: np.ndarray) -> tuple[int, int, int, int]:
    """The part of a crop that holds its mask (S, S), with all from where a sample of a plane may see it:
    y0, y1, x0, x1. Elsewhere than on a CPU it is the whole crop: one would wait to be told."""
    size = len(mask)
    if mask.device.type != "cpu":
        return 0, size, 0, size
    rows, columns = (mask.amax(dim).nonzero().flatten().tolist() or [0] for dim in (1, 0))
    # A sample of subsampled chroma stands for two pixels of the frame.
    reach = math.ceil(4 * max(1.0, math.sqrt(abs(np.linalg.det(from_frame[:2, :2])))))
    return (
        *(max(0, rows[0] - reach), min(size, rows[-1] + 1 + reach)),
        *(max(0, columns[0] - reach), min(size, columns[-1] + 1 + reach)),
    )


def _rectangle(
    to_plane: np.ndarray, box: tuple[int, int, int, int], shape: tuple[int, int], margin: int
) -> tuple[int, ...]:
    """Rows and columns of a plane of ``shape`` that a part of a crop covers: y0, y1, x0, x1 as in ``box``."""
    top, bottom, left, right = box
    corners = to_plane @ np.array(
        [[left, right, left, right], [top, top, bottom, bottom], [1, 1, 1, 1]], float
    )
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
    y0, y1, x0, x1 = _rectangle(to_plane, (0, size, 0, size), (height, width), margin=2)
    # A crop wholly outside still sees the nearest border.
    y0, x0 = min(y0, height - 1), min(x0, width - 1)
    parts = [plane[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] for plane in planes]
    return _samples(parts), _moved(-x0, -y0)


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


def _seen_through(image: Tensor, to_image: np.ndarray, width: int, height: int) -> Tensor:
    """``image`` (C, H, W) as it looks through ``to_image``, the (3, 3) map from the pixels of the result to
    its own: (C, height, width). Bilinear, filtered first where the result is smaller; beyond the edge its
    border is repeated."""
    image, to_image = _prefiltered(image[None], to_image)
    if image.device.type == "cpu":
        # OpenCV, several times as fast as what is done elsewhere, counts from the first pixel's centre.
        by_centres = (_moved(-0.5, -0.5) @ to_image @ _moved(0.5, 0.5))[:2]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        size, border = (width, height), cv2.BORDER_REPLICATE
        planes = image[0].contiguous().numpy()
        warped = [cv2.warpAffine(plane, by_centres, size, flags=flags, borderMode=border) for plane in planes]
        return torch.from_numpy(np.stack(warped))
    rows, columns = image.shape[-2:]
    # PyTorch counts from -1 to 1 over the edges.
    to_shares = _moved(-1, -1) @ np.diag([2 / columns, 2 / rows, 1.0])
    theta = to_shares @ to_image @ np.diag([width / 2, height / 2, 1.0]) @ _moved(1, 1)
    grid = F.affine_grid(
        upload(theta[None, :2].astype(np.float32), image.device), [1, 1, height, width], False
    )
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)[0]


def _moved(x: float, y: float) -> np.ndarray:
    """The (3, 3) map that moves everything by so much."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def _blend_planes(
    planes: list[np.ndarray], layers: Tensor, to_crop: np.ndarray, box: tuple[int, int, int, int], bits: int
) -> None:
    """Blend ``layers`` (C + 1, S, S), values and mask, into C planes; ``to_crop`` maps their pixels there,
    ``box`` is the part with a mask."""
    y0, y1, x0, x1 = _rectangle(np.linalg.inv(to_crop), box, planes[0].shape, margin=0)
    if y0 >= y1 or x0 >= x1:
        return
    seen = _seen_through(layers, to_crop @ _moved(x0, y0), x1 - x0, y1 - y0)
    targets = [plane[y0:y1, x0:x1] for plane in planes]
    samples = upload(_samples(targets), layers.device)
    blended = torch.lerp(samples.float(), seen[:-1], seen[-1]).round_().clamp_(0, (1 << bits) - 1)
    # Where the mask is zero the sum is exact already: lerp(a, b, 0) is a, and a is a whole number.
    for target, changed in zip(targets, blended.to(samples.dtype).cpu().numpy(), strict=True):
        target[...] = changed
