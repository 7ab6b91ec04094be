"""How far two sets of pictures are from each other as sets, whichever picture belongs to which."""

from __future__ import annotations

import numpy as np


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The squared Fréchet distance between the normal distributions of two sets of vectors, (N, D) and
    (M, D) with N, M > 1: ``|m_a - m_b|^2 + Tr(C_a + C_b - 2 (C_a C_b)^(1/2))`` (Dowson and Landau, 1982).

    This is what FID computes of Inception's features (Heusel et al., 2017). With other features, or fewer
    vectors than dimensions, values compare among themselves only, and only for equal N and M. Raises
    ValueError for sets of fewer than two.
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a set needs at least two vectors, not {len(a)} and {len(b)}")
    a, b = a.astype(np.float64), b.astype(np.float64)
    shift = np.square(a.mean(0) - b.mean(0)).sum()
    x, y = ((s - s.mean(0)) / np.sqrt(len(s) - 1) for s in (a, b))
    # With C_a = x'x and C_b = y'y the roots of C_a C_b's eigenvalues are the singular values of xy'. No
    # root of a matrix is taken that has no full rank.
    common = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    return max(0.0, float(shift + np.square(x).sum() + np.square(y).sum() - 2 * common))
