"""Smooth the box and landmarks of a face over time without lag, by local fits over a window of frames.

The points in a frame are estimated from the observations before and after it by local quadratic regression
(Fan and Gijbels, "Local Polynomial Modelling and Its Applications", 1996), which has no lag under constant
velocity or acceleration. The best width of such a fit depends on the motion: wide for a still face, very
narrow for a jerk of the head. Therefore fits of increasing width are blended, each as far as its difference
from the narrower ones can be explained by noise: positive-part James-Stein shrinkage (James and Stein,
"Estimation with Quadratic Loss", 1961). It is applied to all coordinates at once, because the points of a
face move together and so separate motion from noise far better than any single one.
"""

from __future__ import annotations

import numpy as np

WIDTHS = (1.2, 2.0, 4.0)  #: standard deviations of the Gaussian weights of the fits, in frames
REACH = 12  #: frames to each side that affect the result: three times the largest standard deviation
GROUPS = (slice(0, 4), slice(4, 14))  #: coordinates of the box, of the landmarks: their noise differs

# The errors of a detector are correlated between neighbouring frames, so fits differ by more than they would
# with white noise. Raising this from 1 to 3 halves the jitter of slow faces; above 3, shaking faces lose
# amplitude.
NOISE_FACTOR = 3.0

OUTLIER_SPAN = 3  #: observations to each side that an observation is compared with
OUTLIER_FACTOR = 8.0  #: largest deviation, relative to their own residual; a sharp turn causes about 5
PRECISION = 1e-3  #: pixels: lower bound of that residual

RIDGE = 1e-6  #: relative to the sum of a fit's weights


def smooth(frames: np.ndarray, points: np.ndarray, at: int) -> np.ndarray:
    """Return the smoothed points of one face in the frame ``at``, (7, 2) float64 in pixels.

    ``frames`` (n,) int holds the numbers of the frames in which the face was observed, ascending, and
    ``points`` (n, 7, 2) float64 its points there: the corners of the box and the landmarks, in pixels. ``at``
    lies between the first and the last of these frames. Without an observation in ``at``, or with one that
    contradicts those on both sides, its points are interpolated. Observations more than ``REACH`` frames away
    have no effect.
    """
    near = np.abs(frames - at) <= REACH
    times, values = (frames[near] - at).astype(np.float64), points[near].reshape(-1, 14)
    inliers = ~_outliers(times, values)
    times, values = times[inliers], values[inliers]

    # Estimates (14,) from the narrowest, the observation itself, to the widest, each with the share of the
    # variance of a single observation that remains in it.
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
    """Fit a quadratic to ``values`` (n, k) with the weights of each of the W ``WIDTHS``.

    Returns the values (W, k) of the fits at time 0, and the share of the variance of one observation that
    remains in each.
    """
    widths = np.array(WIDTHS)[:, None]
    # Relative to the nearest observation, so that weights do not vanish in the middle of a gap.
    weights = np.exp(-(times**2 - (times**2).min()) / (2 * widths**2))
    terms = (times / widths)[..., None] ** np.arange(3)
    normal = np.swapaxes(terms * weights[..., None], 1, 2) @ terms
    # With too few observations for a quadratic, the ridge term reduces the fit to a lower degree.
    ridge = RIDGE * normal[:, :1, :1] * np.eye(3)
    first = np.linalg.solve(normal + ridge, np.eye(3)[:, :1])
    gains = (terms @ first)[..., 0] * weights
    gains /= gains.sum(1, keepdims=True)
    return gains @ values, (gains**2).sum(1).tolist()


def _noise(times: np.ndarray, values: np.ndarray) -> list[float]:
    """Estimate the variance of the noise in the coordinates of each group.

    Uses third differences, in which constant acceleration cancels out and white noise has 20 times
    (1 + 9 + 9 + 1) its variance. The median over time ignores single jerks.
    """
    squares = (values[3:] - 3 * values[2:-1] + 3 * values[1:-2] - values[:-3]) ** 2
    squares = squares[times[3:] - times[:-3] == 3]
    return [float(np.median(squares[:, group].mean(1))) / 20 if len(squares) else 0.0 for group in GROUPS]


def _outliers(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mark observations that deviate from a quadratic which fits their neighbours well: (n,) bool."""
    outlier = np.zeros(len(times), bool)
    offsets = np.r_[-OUTLIER_SPAN:0, 1 : OUTLIER_SPAN + 1]
    middle = np.arange(OUTLIER_SPAN, len(times) - OUTLIER_SPAN)
    if len(middle):
        indices = middle[:, None] + offsets
        terms = ((times[indices] - times[middle, None]) / OUTLIER_SPAN)[..., None] ** np.arange(3)
        transposed = np.swapaxes(terms, 1, 2)
        neighbours = values[indices] - values[middle, None]
        coefficients = np.linalg.solve(transposed @ terms, transposed @ neighbours)
        residual = neighbours - terms @ coefficients
        for group in GROUPS:
            offset = coefficients[:, 0, group]
            freedom = (len(offsets) - 3) * offset.shape[1]
            disagreement = np.sqrt((residual[..., group] ** 2).sum((1, 2)) / freedom)
            distance = np.sqrt((offset**2).mean(1))
            outlier[middle] |= distance > OUTLIER_FACTOR * np.maximum(disagreement, PRECISION)
    return outlier
