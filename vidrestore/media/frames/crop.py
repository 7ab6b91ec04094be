"""Reading an RGB crop from a frame's planes, and blending one back into them.

The frame is never converted as a whole. A crop is described by its ``matrix``, (2, 3) or (3, 3): the affine
map from frame pixels to crop pixels, where (0, 0) is the top left corner of the image in both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload
from ...runtime.sampling import sample
from .colour import Colour
from .dither import round_samples
from .headroom import Headroom, measure_headroom
from .pixel_format import PixelFormat
from .writable import missing_samples, with_luma_of

#: Rows and columns of a rectangle: y0, y1, x0, x1.
_Bounds = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Blended:
    """What blending a crop wrote: no sample outside ``bounds`` has changed."""

    bounds: _Bounds  #: y0, y1, x0, x1 in frame pixels, over all planes
    corner: tuple[int, int]  #: row and column of the first plane at which ``before`` and ``after`` begin
    before: np.ndarray  #: (H, W), samples of the first plane before it
    after: np.ndarray  #: the same after it

    def in_frame(self, shape: tuple[int, ...], frame: tuple[int, ...]) -> Blended:
        """This, written to a plane of ``shape``, with its bounds in the pixels of a frame of shape
        ``frame``."""
        down, across = (-(-whole // own) for whole, own in zip(frame, shape, strict=True))
        y0, y1, x0, x1 = self.bounds
        bounds = y0 * down, min(y1 * down, frame[0]), x0 * across, min(x1 * across, frame[1])
        return replace(self, bounds=bounds)


@dataclass(frozen=True)
class PlanarImage:
    """The planes of a frame, sharing its memory, and how their sample values are to be read."""

    planes: list[np.ndarray]  #: (height, width) each: Y, U, V or G, B, R or Y; then alpha, if any
    format: PixelFormat
    colour: Colour
    keeps_luma: bool = False  #: whether blending writes colours only
    missing: np.ndarray | None = None  #: (H, W) bool: the pixels that blending may write; None: all

    def read(self, matrix: np.ndarray, size: int, device: torch.device | str = "cpu") -> Tensor:
        """Read a crop: (3, size, size) float32 R'G'B' in [0, 1]; HDR is tone-mapped to SDR.

        Sampling is bilinear, after a low-pass filter if the crop is smaller than the region it shows. Beyond
        the frame's edges the border is replicated.
        """
        return self.colour.to_sdr(self._read_signal(matrix, (size, size), device)).clamp(0, 1)

    def read_rows(self, first: int, end: int, device: torch.device | str = "cpu") -> Tensor:
        """Read the rows from ``first`` to before ``end`` as :meth:`read` does: (3, end - first, W)."""
        size = end - first, self.planes[0].shape[1]
        return self.colour.to_sdr(self._read_signal(_translation(0, -first), size, device)).clamp(0, 1)

    def kept_rows(self, first: int, end: int, device: torch.device | str = "cpu") -> Tensor | None:
        """How far the samples of these rows keep their value, as :meth:`read_rows` cannot hold them:
        (end - first, W) in [0, 1]; None if it holds all."""
        size = end - first, self.planes[0].shape[1]
        headroom = self._headroom(_translation(0, -first), size, device)
        return headroom.kept if headroom else None

    def _read_signal(self, matrix: np.ndarray, size: tuple[int, int], device: torch.device | str) -> Tensor:
        """The samples of a crop as R'G'B' (3, *size), neither tone-mapped nor clipped."""
        to_frame = np.linalg.inv(_as_3x3(matrix))
        channels = []
        for planes, scale in self.plane_groups():
            region, shift = _visible_region(planes, scale @ to_frame, size)
            channels += _warp(upload(region, device).float(), shift @ scale @ to_frame, size)
        bits = self.format.bits
        if self.format.is_rgb:
            g, b, r = channels
            return torch.stack((r, g, b)) / float((1 << bits) - 1)
        if self.format.has_chroma:
            return self.colour.yuv_to_rgb(torch.stack(channels), bits)
        return self.colour.luma_from_code(channels[0], bits).expand(3, -1, -1)

    def blend(self, rgb: Tensor, mask: Tensor, matrix: np.ndarray) -> Blended | None:
        """Blend a crop into the planes, in place: ``plane + mask * (crop - plane)``, rounded.

        ``rgb`` is (3, S, S) R'G'B' in [0, 1], ``mask`` (S, S) in [0, 1]. What such a crop cannot hold of the
        frame is kept (see :mod:`.headroom`). Samples under a zero mask keep their exact value; samples
        outside the crop's rectangle are not even read. If luma is kept, a plane of luma is not changed, and
        R, G and B change so that their luma does not, but for rounding. If only missing pixels may be
        written, so may samples of chroma at least half of whose pixels are missing. Returns what was
        written; None if the crop lies outside the frame.
        """
        bits, from_frame, mask = self.format.bits, _as_3x3(matrix), mask.float().contiguous()
        y0, y1, x0, x1 = _mask_bounds(mask, from_frame)
        rgb, mask = rgb[:, y0:y1, x0:x1].float().contiguous(), mask[y0:y1, x0:x1]
        from_frame = _translation(-x0, -y0) @ from_frame
        values = self.colour.rgb_to_samples(self.colour.from_sdr(rgb.clamp(0, 1)), self.format)
        if headroom := self._headroom(from_frame, (y1 - y0, x1 - x0), mask.device):
            values = values + headroom.lost
            mask = mask * (1 - headroom.kept)
        # Sampling replicates the crop's border, so a border without mask keeps the outside untouched.
        inside = F.pad(mask[1:-1, 1:-1], (1, 1, 1, 1))[None]
        shadows = self.colour.shadows(bits)
        done, changes = 0, list[Blended]()
        for planes, scale in self.plane_groups():
            kept = self.keeps_luma and not done and not self.format.is_rgb
            layers = torch.cat(
                (values[done : done + len(planes)], torch.zeros_like(inside) if kept else inside)
            )
            # Chroma is not dithered: its steps cannot be seen, and grey must stay grey.
            dithered = shadows if bits == 8 and not done and not self.keeps_luma else None
            to_crop = from_frame @ np.linalg.inv(scale)
            change = _blend_planes(planes, layers, to_crop, bits, dithered, self._share, self._adapt)
            if change:
                changes.append(change.in_frame(planes[0].shape, self.planes[0].shape))
            done += len(planes)
        if not changes:
            return None
        y0, y1, x0, x1 = zip(*(change.bounds for change in changes), strict=True)
        return replace(changes[0], bounds=(min(y0), max(y1), min(x0), max(x1)))

    def _headroom(
        self, matrix: np.ndarray, size: tuple[int, int], device: torch.device | str
    ) -> Headroom | None:
        """What a crop of ``size`` cannot hold of the frame; None if that is nothing."""
        signal = self._read_signal(matrix, size, device)
        return measure_headroom(signal, self.colour.to_sdr(signal).clamp(0, 1), self.colour, self.format)

    def _share(self, shape: tuple[int, ...]) -> np.ndarray | None:
        """(h, w) float32: the samples of a plane of ``shape`` that may be written are 1; None: all may."""
        return None if self.missing is None else missing_samples(self.missing, shape)

    def _adapt(self, values: Tensor, own: Tensor) -> Tensor:
        """``values`` (C, H, W) that are to be written in the place of the samples ``own``."""
        if not (self.keeps_luma and self.format.is_rgb):
            return values
        weights = 1 - self.colour.kr - self.colour.kb, self.colour.kb, self.colour.kr
        return with_luma_of(values, own, weights, float((1 << self.format.bits) - 1))

    def plane_groups(self) -> list[tuple[list[np.ndarray], np.ndarray]]:
        """The colour planes, grouped by sampling grid, each with the (3, 3) map from frame pixels to its
        own."""
        luma = np.eye(3)
        if not self.format.has_chroma:
            return [(self.planes[: self.format.colour_planes], luma)]
        across, down = (2.0**-s for s in self.format.subsampling)
        # The centre of a sample sited on the first luma sample is half a luma pixel from the edge.
        left, top = self.colour.chroma_offset
        chroma = np.array([[across, 0, left * (1 - across) / 2], [0, down, top * (1 - down) / 2], [0, 0, 1]])
        return [(self.planes[:1], luma), (self.planes[1:3], chroma)]


def _as_3x3(matrix: np.ndarray) -> np.ndarray:
    return matrix if matrix.shape == (3, 3) else np.vstack((matrix, (0.0, 0.0, 1.0)))


def occupied(mask: Tensor) -> tuple[slice, slice] | None:
    """The rows and columns that hold all of a ``mask`` (S, S); None on a GPU, which would be waited for."""
    if mask.device.type != "cpu":
        return None
    rows, columns = (mask.amax(dim).nonzero().flatten().tolist() or [0] for dim in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _mask_bounds(mask: Tensor, from_frame: np.ndarray) -> _Bounds:
    """The rows and columns y0, y1, x0, x1 of a crop that hold its mask (S, S), widened by the reach of a
    plane's sample; on a GPU the whole crop."""
    size, inside = len(mask), occupied(mask)
    if inside is None:
        return 0, size, 0, size
    rows, columns = inside
    # A sample of subsampled chroma covers two pixels of the frame.
    reach = math.ceil(4 * max(1.0, math.sqrt(abs(np.linalg.det(from_frame[:2, :2])))))
    return (
        max(0, rows.start - reach),
        min(size, rows.stop + reach),
        max(0, columns.start - reach),
        min(size, columns.stop + reach),
    )


def _plane_bounds(
    to_plane: np.ndarray, size: tuple[int, int], shape: tuple[int, int], margin: int
) -> _Bounds:
    """The rows and columns y0, y1, x0, x1 of a plane of ``shape`` that a crop of ``size`` covers."""
    bottom, right = size
    corners = to_plane @ np.array([[0, right, 0, right], [0, 0, bottom, bottom], [1, 1, 1, 1]], float)
    (x0, y0), (x1, y1) = corners[:2].min(axis=1), corners[:2].max(axis=1)
    height, width = shape
    return (
        max(0, math.floor(y0) - margin),
        min(height, math.ceil(y1) + margin),
        max(0, math.floor(x0) - margin),
        min(width, math.ceil(x1) + margin),
    )


def _visible_region(
    planes: list[np.ndarray], to_plane: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The region of the planes that a crop shows, (C, H, W), and the (3, 3) map from plane pixels to it."""
    height, width = planes[0].shape
    y0, y1, x0, x1 = _plane_bounds(to_plane, size, (height, width), margin=2)
    # A crop entirely outside still shows the nearest border.
    y0, x0 = min(y0, height - 1), min(x0, width - 1)
    regions = [plane[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)] for plane in planes]
    return _stack_samples(regions), _translation(-x0, -y0)


def _stack_samples(regions: list[np.ndarray]) -> np.ndarray:
    """Stack regions of planes as uint8, or as int32 for deeper samples: types that every device supports."""
    stacked = np.stack(regions)
    return stacked if stacked.dtype == np.uint8 else stacked.astype(np.int32)


def _prefilter(image: Tensor, to_image: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Shrink ``image`` (1, C, H, W) to the scale at which ``to_image`` samples it, to avoid aliasing.

    Returns the image and the map to its new pixels.
    """
    step = math.sqrt(abs(np.linalg.det(to_image[:2, :2])))
    if step <= 1:
        return image, to_image
    height, width = image.shape[-2:]
    size = (max(1, round(height / step)), max(1, round(width / step)))
    image = F.interpolate(image, size, mode="bilinear", antialias=True, align_corners=False)
    return image, np.diag([size[1] / width, size[0] / height, 1.0]) @ to_image


def _warp(image: Tensor, to_image: np.ndarray, size: tuple[int, int]) -> Tensor:
    """Warp ``image`` (C, H, W) to (C, *size); ``to_image`` (3, 3) maps the result's pixels to it.

    Bilinear, low-pass filtered first if the result is smaller; beyond the edges the border is replicated.
    """
    image, to_image = _prefilter(image[None], to_image)
    height, width = size
    if image.device.type == "cpu":
        # OpenCV, several times as fast as grid_sample, puts the origin at the centre of the first pixel.
        by_centres = (_translation(-0.5, -0.5) @ to_image @ _translation(0.5, 0.5))[:2]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        warped = np.empty((image.shape[1], height, width), np.float32)
        for plane, out in zip(image[0].numpy(), warped, strict=True):
            cv2.warpAffine(plane, by_centres, (width, height), out, flags, cv2.BORDER_REPLICATE)
        return torch.from_numpy(warped)
    rows, columns = image.shape[-2:]
    # PyTorch's coordinates run from -1 to 1 between the outer edges.
    to_unit = _translation(-1, -1) @ np.diag([2 / columns, 2 / rows, 1.0])
    theta = to_unit @ to_image @ np.diag([width / 2, height / 2, 1.0]) @ _translation(1, 1)
    theta = upload(theta[None, :2].astype(np.float32), image.device)
    return sample(image, F.affine_grid(theta, [1, 1, height, width], False))[0]


def _translation(x: float, y: float) -> np.ndarray:
    """The (3, 3) map that moves points by (x, y)."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def _blend_planes(
    planes: list[np.ndarray],
    layers: Tensor,
    to_crop: np.ndarray,
    bits: int,
    shadows: tuple[float, float] | None,
    share: Callable[[tuple[int, ...]], np.ndarray | None],
    adapt: Callable[[Tensor, Tensor], Tensor],
) -> Blended | None:
    """Blend ``layers`` (C + 1, H, W), sample values and then the mask, into C planes. ``to_crop`` maps plane
    pixels to the crop. ``shadows`` are the values below which samples are dithered; None: not at all.
    ``share`` says which samples of a plane of some shape may be written, ``adapt`` fits values to the samples
    that they replace. Returns what was written, with bounds in pixels of the planes."""
    height, width = layers.shape[1:]
    y0, y1, x0, x1 = _plane_bounds(np.linalg.inv(to_crop), (height, width), planes[0].shape, margin=0)
    if y0 >= y1 or x0 >= x1:
        return None
    warped = _warp(layers, to_crop @ _translation(x0, y0), (y1 - y0, x1 - x0))
    targets = [plane[y0:y1, x0:x1] for plane in planes]
    before = _stack_samples(targets)
    samples = upload(before, layers.device)
    own, mask = samples.float(), warped[-1]
    if (written := share(planes[0].shape)) is not None:
        mask = mask * upload(written[y0:y1, x0:x1], mask.device)
    blended = torch.lerp(own, adapt(warped[:-1], own), mask)
    # Under a zero mask the result is exact: lerp(a, b, 0) is a, which is an integer.
    blended = round_samples(blended, (x0, y0), shadows).clamp_(0, (1 << bits) - 1)
    after = blended.to(samples.dtype).cpu().numpy()
    for target, changed in zip(targets, after, strict=True):
        target[...] = changed
    return Blended((y0, y1, x0, x1), (y0, x0), before[0], after[0])
