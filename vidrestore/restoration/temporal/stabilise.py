"""Temporal stabilisation: blend a face's input before restoration, and its result after it, over frames.

A face is blended with the same face in the frames around it, warped along the optical flow; each pixel's
weight falls with its difference beyond noise. So an opening mouth or a turning head is not smeared, while
noise, grain and what the network makes of them average out where the picture is still. Blending the input is
worth more than blending the result: a network restores what it sees, and sees better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from .blend import Contribution, Window, blend, remap
from .colour_transfer import LIGHT_NOISE, match_colours
from .face_crop import ComparedFace, PlannedFace, RestoredFace, Source
from .motion import (
    MAP,
    NO_COMPARISON,
    Comparison,
    Motion,
    View,
    difference,
    estimate_motions,
    other_pictures,
    similarity,
    square,
    static_motions,
)

#: Frame offsets (to either side) of the faces that a noisy input is blended with.
_INPUT = (1, 2, 3)
#: The same for the result, each with its weight relative to the face itself. Near ones are warped along flow
#: and follow a moving face. Far ones are used only where it is still; they are that far away because a
#: codec's noise is alike over many frames there.
_NEAR, _FAR = {1: 0.5}, {6: 1.5, 12: 2.0, 18: 2.0, 24: 2.0}

INPUT_REACH, OUTPUT_REACH = max(_INPUT), max(_FAR)
OUTPUT_OFFSETS = (*_NEAR, *_FAR)  #: frames to each side whose results a result is blended with
REACH = max(INPUT_REACH, OUTPUT_REACH)  #: frames to each side that a face is compared with

#: Parameters of :func:`.motion.similarity`, measured so that moving mouths and eyes are left alone and still
#: faces blend. Far frames, which are not warped along flow, may differ less.
_FREE, _FREE_FAR, _FALL = 1.5, 1.0, 1.0
#: Lower bounds of the noise, as a mean square on a scale of 0 to 255: rounding and flow leave that much even
#: between clean pictures, and for far frames a codec changes that much in a still picture.
_FLOOR, _FLOOR_FAR = 0.3, 0.6
#: Noise of a face relative to its smaller difference from the two adjacent frames, at most.
_LARGEST_RATIO = 1.5
#: Noise below which two frames may be the same picture, aligned almost alike.
_CLEAN = 0.3
#: Motion per frame, in MAP pixels, up to about which a place counts as still.
_STILL = 0.05
#: Noise at which the input is blended with half of the full weight. Blending a clean input gains nothing and
#: costs detail.
_NOISY = 8.0
#: Weight of the input's blend below which it is skipped.
_MIN_SHARE = 0.01
#: The difference of fidelity weights from which on results are not blended.
_OTHER_W = 0.4
#: The same noise for the result, and the share of the near frames' weight that remains without noise.
_NOISY_RESULT, _CLEAN_SHARE = 4.0, 0.3


def compare(
    face: PlannedFace[Source], around: Sequence[tuple[int, PlannedFace[Source]]]
) -> ComparedFace[Source]:
    """Compare ``face`` with the same face at the frame offsets ``around`` that it may be blended with."""
    views = {offset: other.view for offset, other in around}
    near = estimate_motions(face.view, {o: view for o, view in views.items() if abs(o) in _NEAR})
    others = {o: view for o, view in views.items() if abs(o) in _INPUT and o not in near}
    if _may_repeat(face.view, near, others):
        near |= estimate_motions(face.view, others)
    adjacent = other_pictures({o: motion.noise for o, motion in near.items()})
    noise = _noise([near[o].noise for o in adjacent])
    # In changing light codes are averaged by these comparisons, too.
    if _input_share(noise) > _MIN_SHARE or any(motion.is_relit for motion in near.values()):
        near |= estimate_motions(face.view, {o: view for o, view in others.items() if o not in near})
    far = static_motions(face.view, {o: view for o, view in views.items() if abs(o) in _FAR})
    moving = {o: motion for o, motion in near.items() if abs(o) in _NEAR or o in adjacent}
    return _compared(face, Comparison(near | far, noise, _stillness(face.view, moving, views)))


def skip_comparison(face: PlannedFace[Source]) -> ComparedFace[Source]:
    """``face`` for a run that stabilises neither input nor output."""
    return _compared(face, NO_COMPARISON)


def _compared(face: PlannedFace[Source], comparison: Comparison) -> ComparedFace[Source]:
    return ComparedFace(
        track=face.track,
        source=face.source,
        image=face.image,
        quality=face.quality,
        w=face.w,
        strength=face.strength,
        comparison=comparison,
        cover=face.cover,
        restorer=face.restorer,
    )


def stabilise_input(
    face: ComparedFace[Source], around: Sequence[tuple[int, ComparedFace[Source]]]
) -> ComparedFace[Source]:
    """``face`` with its image blended with those ``around``, the more the noisier it is."""
    share = _input_share(face.comparison.noise)
    others = {
        o: (other.image, share, other.cover)
        for o, other in around
        if abs(o) in _INPUT and share > _MIN_SHARE and other.image.shape == face.image.shape
    }
    blended = _blend(face.comparison, face.image, others)
    if blended is not face.image:
        # The restored face takes its light from this image.
        own, mixed = face.image.float()[None], blended.float()[None]
        blended = match_colours(mixed, own, noise=LIGHT_NOISE)[0].to(blended.dtype)
    return replace(face, image=blended)


def stabilise_output(
    face: RestoredFace[Source],
    around: Sequence[tuple[int, RestoredFace[Source]]],
    *,
    covers_count: bool = False,
) -> RestoredFace[Source]:
    """``face`` with its result and mask blended with those ``around``. What something covers there does not
    enter, unless ``covers_count``, as where results are what lies beneath."""
    noise, stillness = face.comparison.noise, face.comparison.stillness
    noisiness = noise**2 / (noise**2 + _NOISY_RESULT**2)
    # What the input does not show is not held steady by it.
    near = 1.0 if covers_count else _CLEAN_SHARE + (1 - _CLEAN_SHARE) * noisiness
    shares: dict[int, float | np.ndarray] = {offset: share * near for offset, share in _NEAR.items()}
    shares |= {offset: share * stillness for offset, share in _FAR.items()}
    # Where a person changes the restorer or ``w`` in the middle of a track, results are of two kinds. (And
    # those that are not shown have no pixels.)
    around = [
        (o, x)
        for o, x in around
        if abs(o) in shares and x.restorer == face.restorer and x.layers.shape == face.layers.shape
    ]
    others = {
        o: (other.layers, shares[abs(o)] * _same_w(face.w, other.w), None if covers_count else other.cover)
        for o, other in around
    }
    motions, side = face.comparison.motions, face.layers.shape[-1] / MAP
    shown = _union([face.window, *(_reached(other.window, motions[o], side) for o, other in around)])
    blended = _blend(face.comparison, face.layers, others, shown)
    # The comparison has been used: it is dropped, since the face stays in memory for another window.
    return replace(face, layers=blended, window=shown, comparison=NO_COMPARISON)


def _same_w(w: float, other: float) -> float:
    """How much a result with the fidelity weight ``other`` says of one with ``w``, in [0, 1]."""
    return max(0.0, 1 - abs(w - other) / _OTHER_W)


def _reached(window: Window | None, motion: Motion, side: float) -> Window | None:
    """Where what is in a ``window`` may come along the flow of ``motion``, with pixels of this ``side``."""
    if window is None or motion.flow is None:
        return window
    reach = math.ceil(float(np.abs(motion.flow).max()) * side)
    rows, columns = (slice(max(part.start - reach, 0), part.stop + reach) for part in window)
    return rows, columns


def _union(windows: Sequence[Window | None]) -> Window | None:
    """The window that holds all ``windows``."""
    known = [window for window in windows if window is not None]
    if len(known) < len(windows):
        return None
    rows, columns = (
        slice(min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*known, strict=True)
    )
    return rows, columns


def _input_share(noise: float) -> float:
    return noise**4 / (noise**4 + _NOISY**4)


def _may_repeat(here: View, near: Mapping[int, Motion], others: Mapping[int, View]) -> bool:
    """Whether a frame next to the one that ``here`` shows may be the same picture again, so that ``others``,
    those behind, have to be looked at."""
    noises = [motion.noise for motion in near.values() if not np.isnan(motion.noise)]
    if not noises or max(noises) >= _CLEAN:
        return bool(noises) and min(noises) < _CLEAN
    return any(difference(here, there) > _CLEAN for there in others.values())


def _noise(noises: Sequence[float]) -> float:
    """The noise of a face, from its differences from the adjacent pictures, one to each side."""
    if not noises:
        return 0.0
    # A change that the light does not explain, on one side alone, is not noise.
    return min(float(np.mean(noises)), _LARGEST_RATIO * min(noises))


def _stillness(here: View, motions: Mapping[int, Motion], views: Mapping[int, View]) -> np.ndarray:
    """(MAP, MAP) float32: 1 where the aligned face or the scene does not move in any of ``motions``, those to
    the adjacent frames; falling to 0 where both move."""
    still = np.ones((MAP, MAP), np.float32)
    for offset, motion in motions.items():
        assert motion.flow is not None  # estimated motion has a flow
        flow = motion.flow.astype(np.float32)
        moved = np.minimum(square(flow), square(flow - here.drift(views[offset], MAP)))
        still = np.minimum(still, np.exp(-moved / _STILL**2))
    return still


def _blend(
    comparison: Comparison,
    image: Tensor,
    others: Mapping[int, tuple[Tensor, float | np.ndarray, np.ndarray | None]],
    shown: Window | None = None,
) -> Tensor:
    """``image`` (C, S, S) blended with others, given by frame offset as (image, weight, cover): the weight of
    each pixel is multiplied by its similarity. What something covers there does not enter. Only the window
    ``shown`` matters."""
    contributions = []
    for offset, (other, share, cover) in others.items():
        motion = comparison.motions[offset]
        free, floor = (_FREE_FAR, _FLOOR_FAR) if abs(offset) in _FAR else (_FREE, _FLOOR)
        error = torch.from_numpy(motion.error).float()
        similar = similarity(error, comparison.noise + floor, free=free, fall=_FALL).numpy()
        if motion.light is not None:
            similar *= motion.light.certainty(MAP)
        if cover is not None:
            similar *= _shown(cover, motion.flow)
        contributions.append(Contribution(other, motion.flow, share * similar, motion.light))
    return blend(image, contributions, shown)


def _shown(cover: np.ndarray, flow: np.ndarray | None) -> np.ndarray:
    """(MAP, MAP) float32: 1 where the face that ``cover`` belongs to, warped by ``flow``, is not covered."""
    covered = cv2.resize(cover.astype(np.float32), (MAP, MAP), interpolation=cv2.INTER_AREA)
    shown = (covered == 0).astype(np.float32)
    return shown if flow is None else np.floor(remap(shown, flow.astype(np.float32)) + 1e-3)
