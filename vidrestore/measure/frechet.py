"""The Fréchet distance between two sets of feature vectors."""

from __future__ import annotations

import numpy as np


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the squared Fréchet distance between normal distributions fitted to two sets of vectors.

    ``|m_a - m_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2))`` (Dowson and Landau, 1982), for ``a`` (N, D) and
    ``b`` (M, D) with N, M > 1. FID is this distance for the features of Inception (Heusel et al., 2017). With
    other features, or with fewer vectors than dimensions, values are comparable only with each other, and
    only for equal N and M. Raises ValueError for a set of fewer than two vectors.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a set needs at least two vectors, not {len(a)} and {len(b)}")
    a, b = a.astype(np.float64), b.astype(np.float64)
    shift = np.square(a.mean(0) - b.mean(0)).sum()
    x, y = ((s - s.mean(0)) / np.sqrt(len(s) - 1) for s in (a, b))
    # With C_a = x'x and C_b = y'y, the roots of the eigenvalues of C_a C_b are the singular values of xy'.
    # This avoids the square root of a rank-deficient matrix.
    common = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    return max(0.0, float(shift + np.square(x).sum() + np.square(y).sum() - 2 * common))
