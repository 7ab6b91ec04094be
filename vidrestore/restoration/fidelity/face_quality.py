"""Measure a face's quality without a reference: size, sharpness, noise and pose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...runtime.cuda_streams import upload
from ..luma import luma
from ..planes import shrink

#: Side in pixels at which faces are measured, and the rows and columns that show the face itself: forehead to
#: chin, cheek to cheek.
_SIDE = 512
_ROWS, _COLUMNS = slice(112, 464), slice(96, 416)
#: Height of a face from chin to hairline, relative to the longer of its eye and its eye-mouth distance.
_HEIGHT = 2.6
#: The octaves below 512 pixels in which edges are measured. For each: the side of its blocks in pixels; the
#: strength of a sharp face's edges relative to the coarse contrast where they are (three in four of 134 sharp
#: portraits reach it); and for white noise the ratio of energy between blocks with edges and quiet ones.
_OCTAVES = ((8, 0.23, 1.5), (8, 0.38, 1.5), (4, 0.58, 2.1), (4, 0.82, 2.1))
#: Where a face has its edges, at 512 pixels: for each landmark the shift from it to the middle of its region
#: (the eyes' include the brows), and half the region's width and height.
_REGIONS = np.array(
    [[0, -14, 60, 50], [0, -14, 60, 50], [0, 4, 48, 36], [0, 0, 48, 40], [0, 0, 48, 40]], np.float32
)
#: Contrast of a region, relative to the middle of its three most contrasty ones, below which it has no edges
#: to judge by: a mask, a hand, a bar lies there.
_FLAT = 0.4
#: Octaves in which noise is measured in quiet blocks: in coarser ones no part of a face is quiet.
_NOISE_OCTAVES = 3
#: Quantiles of the blocks' energy: of quiet blocks of the face, and of a region's edges.
_QUIET, _EDGES = 0.25, 0.85
#: Share of the blocks of a face that must lie inside the frame to be judged by alone.
_FEW = 0.1
#: Enlarging by a factor s reduces a face's noise to about s ** -0.4 of it (measured, bilinear).
_SMOOTHING = 0.4
#: Resolution at which colour is measured, and the rows and columns that show the face.
_COLOUR_SIDE, _COLOUR_FACE = 32, (slice(8, 28), slice(8, 24))
#: Brightness for which it holds, and the least that it is measured against: differences of colour grow with
#: the light.
_MEDIUM, _DARK = 0.5, 0.15
#: Distance of the tip of the nose from the plane of the eyes, in half eye distances.
_NOSE_DEPTH = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceQuality:
    """The quality of one aligned face, or of the faces of one track over a window of time."""

    size: float  #: height of the face from chin to hairline, in pixels of the frame
    sharpness: float  #: share of the octaves below 512 pixels in which its edges are visible, in [0, 1]
    #: Standard deviation of the luma's noise, on a scale of 0 to 255: half of the frame's, which alignment's
    #: interpolation smooths. The skin of a sharp clean face counts as up to 2.
    noise: float
    yaw: float  #: rotation to the side, over 90 degrees: 0 frontal, 0.5 at 45 degrees, 1 in profile
    #: Root mean square of how far R' and B' are from luma, in levels of 255 for a face of medium brightness:
    #: 0 to 3 of a grey face, 15 and more of one in colour.
    colour: float = 0.0


@torch.inference_mode()
def measure_quality(
    images: Tensor,
    scales: Sequence[float],
    landmarks: Sequence[np.ndarray] | np.ndarray,
    inside: Sequence[np.ndarray] | None = None,
) -> list[FaceQuality]:
    """Measure the quality of N aligned faces.

    Compression blocks are not measured: alignment's rotation and scaling hide where they are, and in-loop
    filters leave none.

    Args:
        images: (N, 3, S, S) RGB in [0, 1].
        scales: N scale factors of the similarities that cut the faces out: crop pixels per frame pixel.
        landmarks: (N, 5, 2) in crop pixels: left eye, right eye, nose, left and right mouth corner.
        inside: N maps (M, M) bool, M a power of 2 from 16 to 64, of where the crops show their frames: beyond
            them they repeat the border, which has no noise. None: everywhere.
    """
    if not len(images):
        return []
    known = None if inside is None else upload(np.stack(list(inside)), images.device)
    measured = *_sharpness_and_noise(images, np.stack(list(landmarks)), known), _colours(images)
    sharpness, noise, colours = torch.stack(measured).tolist()  # at once: a GPU is waited for
    reduction = _SIDE / images.shape[-1]
    return [
        FaceQuality(
            size=face_height(points) / scale,
            sharpness=sharp,
            noise=noisy * max(scale * reduction, 1.0) ** _SMOOTHING,  # where it was measured
            yaw=face_yaw(points),
            colour=colour,
        )
        for scale, points, sharp, noisy, colour in zip(
            scales, landmarks, sharpness, noise, colours, strict=True
        )
    ]


def median_quality(qualities: Sequence[FaceQuality]) -> FaceQuality:
    """The median of each measure, so that a blink or a blurred frame does not count. Raises ValueError for an
    empty sequence."""
    if not qualities:
        raise ValueError("cannot take the median of no face qualities; give at least one")
    columns = zip(*map(astuple, qualities), strict=True)
    size, sharpness, noise, yaw, colour = (median(column) for column in columns)
    return FaceQuality(size=size, sharpness=sharpness, noise=noise, yaw=yaw, colour=colour)


def _colours(images: Tensor) -> Tensor:
    """The colourfulness (N,) of faces (N, 3, S, S): see ``FaceQuality.colour``. Averages of many pixels
    count, since compression leaves specks of colour in grey faces."""
    small = shrink(images, _COLOUR_SIDE)[..., *_COLOUR_FACE]
    brightness = luma(small, 1)
    chroma = small[:, ::2] - brightness[:, None]
    level = brightness.mean(dim=(1, 2)).clamp_min(_DARK)
    return 255 * _MEDIUM / level * chroma.square().mean(dim=(1, 2, 3)).sqrt()


def _sharpness_and_noise(
    images: Tensor, landmarks: np.ndarray, inside: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Sharpness and noise (N,) of faces (N, 3, S, S) with landmarks (N, 5, 2), of which maps (N, M, M) tell
    what is ``inside`` their frames.

    A Laplacian responds to an edge equally in every octave down to the one at which blur has removed it, and
    it responds to noise everywhere, edges or not. So an octave is present if blocks with edges exceed what
    noise alone would give them, relative to the coarse contrast. That is asked where a face has its edges,
    and the median of these places is the answer: a line of text, a scratch or a pair of glasses sharpens some
    of them, and a mask blurs some.
    """
    x = images.float()
    places = upload(landmarks.astype(np.float32), x.device) * (_SIDE / x.shape[-1])
    if x.shape[-1] != _SIDE:
        x = F.interpolate(x, size=(_SIDE, _SIDE), mode="bilinear", antialias=True, align_corners=False)
    levels = 255 * luma(x, 1)
    energies, noises = [], []
    for octave, (block, _, spread) in enumerate(_OCTAVES):
        dx, dy = _second_difference(levels, -1), _second_difference(levels, -2)
        energy = _blocks(dx[..., 1:-1, :] + dy[..., 1:-1], block)
        edges = _quantile_of_regions(energy, places, block << octave)
        quiet = _quiet(energy, block << octave, inside)
        energies.append((edges - spread * quiet[:, None]).clamp_min(0))
        if octave < _NOISE_OCTAVES:
            # Immerkaer's operator (1996): its response to white noise has 6 times the noise's deviation.
            response = _blocks(_second_difference(dy, -1), block)
            noises.append(_quiet(response, block << octave, inside).sqrt() / 6)
        levels = shrink(levels[:, None], levels.shape[-1] // 2)[:, 0]
    coarse = _second_difference(levels, -2)[..., 1:-1] + _second_difference(levels, -1)[..., 1:-1, :]
    energy, regions = F.pad(coarse, (1, 1, 1, 1)).square(), _region_maps(places, _SIDE // levels.shape[-1])
    contrast = (energy[:, None] * regions).sum(dim=(-2, -1)) / regions.sum(dim=(-2, -1)).clamp_min(1)
    contrast = contrast.sqrt()
    present = [
        (energy.sqrt() / (typical * contrast.clamp_min(1))).clamp_max(1)
        for energy, (_, typical, _) in zip(energies, _OCTAVES, strict=True)
    ]
    flat = contrast < _FLAT * contrast.topk(3, dim=1).values[:, 1:2]
    # nanmedian takes the lower of two middle ones.
    sharpness = torch.stack(present).mean(dim=0).masked_fill(flat, torch.nan).nanmedian(dim=1).values
    return sharpness, torch.stack(noises).amax(dim=0)


def _second_difference(x: Tensor, dim: int) -> Tensor:
    """x[i - 1] - 2 x[i] + x[i + 1] along ``dim``, shorter by two than ``x``."""
    length = x.shape[dim] - 2
    return (x.narrow(dim, 0, length) + x.narrow(dim, 2, length)).sub_(x.narrow(dim, 1, length), alpha=2)


def _blocks(response: Tensor, side: int) -> Tensor:
    """The mean square of ``response`` (N, H, W) in blocks of ``side`` pixels. The rows and columns that it
    lacks at the face's borders count as 0."""
    missing = [-size % side for size in (response.shape[-1], response.shape[-2])]
    borders = [part for size in missing for part in (size // 2, size - size // 2)]
    energy = F.pad(response.square(), borders)
    return shrink(energy[:, None], [size // side for size in energy.shape[-2:]])[:, 0]


def _quiet(energy: Tensor, step: int, inside: Tensor | None) -> Tensor:
    """The energy of the quiet blocks of ``step`` pixels of the face: (N,). Those count that lie ``inside``
    the frame, by maps (N, M, M), unless these are few."""
    rows, columns = (slice(edges.start // step, edges.stop // step) for edges in (_ROWS, _COLUMNS))
    blocks = energy[..., rows, columns].flatten(1)
    if inside is None:
        blocks = blocks.sort(dim=1).values
        return blocks[:, round(_QUIET * (blocks.shape[1] - 1))]
    cells = _SIDE // inside.shape[-1]
    outside = (~inside)[:, None].float()
    # A block is outside if any of it is.
    outside = (
        F.max_pool2d(outside, step // cells) if step > cells else F.interpolate(outside, energy.shape[-2:])
    )
    counts = outside[:, 0, rows, columns].flatten(1) == 0
    few = counts.sum(dim=1, keepdim=True) < _FEW * counts.shape[1]
    counts = counts | few
    last = (_QUIET * (counts.sum(dim=1, keepdim=True) - 1)).round().long()
    return blocks.masked_fill(~counts, torch.inf).sort(dim=1).values.gather(1, last)[:, 0]


def _quantile_of_regions(energy: Tensor, places: Tensor, step: int) -> Tensor:
    """The energy (N, 5) of the edges in each region, of ``energy`` (N, M, M) in blocks of ``step`` pixels; 0
    where a region lies outside."""
    inside = _region_maps(places, step).flatten(2)
    # Those outside come first, so that the quantile is counted from the end.
    blocks = energy.flatten(1)[:, None].expand_as(inside).masked_fill(~inside, -1).sort(dim=2).values
    above = ((1 - _EDGES) * (inside.sum(dim=2, keepdim=True) - 1)).clamp_min(0).round().long()
    return blocks.gather(2, blocks.shape[2] - 1 - above)[..., 0].clamp_min(0)


def _region_maps(places: Tensor, step: int) -> Tensor:
    """(N, 5, M, M) bool: which pixels of ``step`` pixels of a 512-pixel face lie in the region of each of its
    landmarks ``places`` (N, 5, 2)."""
    regions = upload(_REGIONS, places.device)
    middle, half = places + regions[:, :2], regions[:, 2:]
    at = (torch.arange(_SIDE // step, device=places.device) + 0.5) * step
    columns, rows = ((at - middle[..., i, None]).abs() < half[:, i, None] for i in (0, 1))
    return rows[..., :, None] & columns[..., None, :]


def face_height(landmarks: np.ndarray) -> float:
    """Height of a face in the pixels of its landmarks (5, 2). Yaw shortens the eye distance and pitch the
    eye-mouth distance, so the longer of the two is used."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    return _HEIGHT * float(max(math.hypot(*(landmarks[1] - landmarks[0])), math.hypot(*(mouth - eyes))))


def face_yaw(landmarks: np.ndarray) -> float:
    """Yaw over 90 degrees of a face with ``landmarks`` (5, 2), from the offset of the tip of the nose from
    the middle between the eyes: rotation by t scales the visible half eye distance by cos t, and the tip's
    depth becomes an offset by sin t."""
    left, right, nose = landmarks[:3]
    mouth = landmarks[3:].mean(axis=0)
    middle = (left + right) / 2
    # Measured across the face, not along the eyes: in profile the two eyes' points nearly coincide.
    down = mouth - middle
    across = np.array([down[1], -down[0]]) / max(float(np.hypot(*down)), 1e-6)
    half = abs(float((right - left) @ across)) / 2
    offset = abs(float((nose - middle) @ across)) / _NOSE_DEPTH
    return math.atan2(offset, max(half, 1e-6)) / (math.pi / 2)
