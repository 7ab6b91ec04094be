"""The Fréchet distance, compared with closed forms and with the matrix square root."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from vidrestore.measure.frechet import frechet_distance


def vectors(n: int, d: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def test_a_shift_adds_its_square() -> None:
    a = vectors(50, 6, 1)
    shift = np.arange(6.0)
    assert frechet_distance(a, a + shift) == pytest.approx(np.square(shift).sum())


def test_scaling_adds_the_squared_difference_of_deviations() -> None:
    """In one dimension the distance is (m_a - m_b)^2 + (s_a - s_b)^2."""
    a = vectors(50, 1, 2)
    a -= a.mean()
    assert frechet_distance(a, 3 * a) == pytest.approx((2 * a.std(ddof=1)) ** 2)


@pytest.mark.parametrize(("n", "m"), [(40, 40), (60, 25)])
def test_agrees_with_the_formula(n: int, m: int) -> None:
    a, b = vectors(n, 8, 3), vectors(m, 8, 4)
    ca, cb = np.cov(a.T), np.cov(b.T)
    wanted = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet_distance(a, b) == pytest.approx(wanted, rel=1e-6)


def test_fewer_vectors_than_dimensions() -> None:
    a, b = vectors(5, 32, 5), vectors(5, 32, 6)
    assert frechet_distance(a, a[::-1]) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))
    assert frechet_distance(a, b) > np.square(a.mean(0) - b.mean(0)).sum()


def test_a_single_vector_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two vectors, not 1 and 5"):
        frechet_distance(np.zeros((1, 3)), np.zeros((5, 3)))
