"""Holding a face still without holding it back: local fits of its points over a window of frames.

A frame's points are estimated from what was seen before and after it by local quadratic regression (Fan
and Gijbels, "Local Polynomial Modelling and Its Applications", 1996), which has no lag under constant
velocity or acceleration. How far such a fit should reach depends on the motion: far for a still face,
hardly at all for a jerk of the head. So ever wider fits are blended, each as far as its difference from
the narrower ones may be noise: positive-part James-Stein shrinkage (James and Stein, "Estimation with
Quadratic Loss", 1961) over all coordinates at once, as a face's points move together and so tell motion
from noise far better than any one of them could.
"""

from __future__ import annotations

import numpy as np

WIDTHS = (1.2, 2.0, 4.0)  #: standard deviations of the fits' Gaussian weights, in frames
REACH = 12  #: frames to each side that have a part in the result: three times the widest deviation
GROUPS = (slice(0, 4), slice(4, 14))  #: coordinates of the box and of the landmarks: their noise differs

# A detector's errors are alike in neighbouring frames, so fits differ by more than white noise would
# make them. Going from 1 to 3 halves the jitter of slow faces; beyond it, shaking ones lose amplitude.
NOISE_FACTOR = 3.0

OUTLIER_SPAN = 3  #: observations to each side that judge one between them
OUTLIER_FACTOR = 8.0  #: how many times their own disagreement it may lie off; a sharp turn makes about 5
PRECISION = 1e-3  #: pixels: less is no disagreement

RIDGE = 1e-6  #: relative to the sum of a fit's weights


def smooth(frames: np.ndarray, points: np.ndarray, at: int) -> np.ndarray:
    """The seven points of one face in frame ``at``, (7, 2) float64.

    ``frames`` (n,) int says in which frames it was seen, ascending; ``points`` (n, 7, 2) float64 where:
    the box's corners and the landmarks, in pixels. ``at`` lies between the first and the last of them.
    A frame in which it was not seen, or seen where frames on both sides contradict it, is filled in
    from both sides. Observations more than ``REACH`` frames away have no part in the result.
    """
    near = np.abs(frames - at) <= REACH
    times, values = (frames[near] - at).astype(np.float64), points[near].reshape(-1, 14)
    sound = ~_outliers(times, values)
    times, values = times[sound], values[sound]

    # From the narrowest estimate, the observation itself, to the widest: estimates (14,), and the share
    # of a single observation's variance that is left in each.
    steps = [(values[index], 1.0) for index in np.flatnonzero(times == 0)]
    steps += zip(*_fits(times, values), strict=True)
    noise = _noise(times, values)

    result, first_share = steps[0]
    shares = [first_share] * len(GROUPS)
    for wider, share in steps[1:]:
        difference = result - wider
        result = wider.copy()
        for index, group in enumerate(GROUPS):
            gained = max(shares[index] - share, 0.0)
            expected = NOISE_FACTOR * gained * noise[index] * len(difference[group])
            actual = difference[group] @ difference[group]
            kept = max(0.0, 1.0 - expected / actual) if actual > 0 else 0.0
            result[group] += kept * difference[group]
            shares[index] = share + kept**2 * gained
    return result.reshape(7, 2)


def _fits(times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """The values (W, k) at time 0 of the quadratics through ``values`` (n, k) weighted to each of the
    ``WIDTHS``, and what is left of one observation's variance in them."""
    widths = np.array(WIDTHS)[:, None]
    # Relative to the nearest one, so that in the middle of a gap some weight is left.
    weights = np.exp(-(times**2 - (times**2).min()) / (2 * widths**2))
    terms = (times / widths)[..., None] ** np.arange(3)
    normal = np.swapaxes(terms * weights[..., None], 1, 2) @ terms
    # Where there are too few observations for a quadratic, the ridge leaves a lower degree.
    ridge = RIDGE * normal[:, :1, :1] * np.eye(3)
    first = np.linalg.solve(normal + ridge, np.eye(3)[:, :1])
    gains = (terms @ first)[..., 0] * weights
    gains /= gains.sum(1, keepdims=True)
    return gains @ values, (gains**2).sum(1).tolist()


def _noise(times: np.ndarray, values: np.ndarray) -> list[float]:
    """Variance of the noise in the coordinates of each group.

    From third differences, in which constant acceleration cancels out and white noise has 20 times
    (1 + 9 + 9 + 1) its variance; the median over time passes over single jerks.
    """
    squares = (values[3:] - 3 * values[2:-1] + 3 * values[1:-2] - values[:-3]) ** 2
    squares = squares[times[3:] - times[:-3] == 3]
    return [float(np.median(squares[:, group].mean(1))) / 20 if len(squares) else 0.0 for group in GROUPS]


def _outliers(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which observations lie off a quadratic through their neighbours that these agree upon, (n,) bool."""
    outlier = np.zeros(len(times), bool)
    around = np.r_[-OUTLIER_SPAN:0, 1 : OUTLIER_SPAN + 1]
    middle = np.arange(OUTLIER_SPAN, len(times) - OUTLIER_SPAN)
    if len(middle):
        beside = middle[:, None] + around
        terms = ((times[beside] - times[middle, None]) / OUTLIER_SPAN)[..., None] ** np.arange(3)
        transposed = np.swapaxes(terms, 1, 2)
        neighbours = values[beside] - values[middle, None]
        coefficients = np.linalg.solve(transposed @ terms, transposed @ neighbours)
        residual = neighbours - terms @ coefficients
        for group in GROUPS:
            offset = coefficients[:, 0, group]
            freedom = (len(around) - 3) * offset.shape[1]
            disagreement = np.sqrt((residual[..., group] ** 2).sum((1, 2)) / freedom)
            distance = np.sqrt((offset**2).mean(1))
            outlier[middle] |= distance > OUTLIER_FACTOR * np.maximum(disagreement, PRECISION)
    return outlier
