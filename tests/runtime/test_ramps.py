"""The smooth ramp is the same for numbers, arrays and tensors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vidrestore.runtime.ramps import smoothstep

PLACES = np.linspace(-0.5, 1.5, 201)


def test_it_rises_from_0_to_1_with_zero_slope_at_both_ends() -> None:
    values = np.array([smoothstep(float(x)) for x in PLACES])
    assert (values[PLACES <= 0] == 0).all()
    assert (values[PLACES >= 1] == 1).all()
    assert (np.diff(values) >= 0).all()
    assert smoothstep(0.5) == 0.5
    assert smoothstep(0.25) == pytest.approx(1 - smoothstep(0.75))
    assert smoothstep(0.001) < 1e-5


def test_arrays_and_tensors_keep_their_shape_and_type() -> None:
    expected = np.array([smoothstep(float(x)) for x in PLACES])
    assert np.array_equal(smoothstep(PLACES), expected)
    assert np.array_equal(smoothstep(torch.from_numpy(PLACES)).numpy(), expected)
    single = torch.rand(2, 3)
    assert (smoothstep(single).shape, smoothstep(single).dtype) == ((2, 3), torch.float32)
    assert smoothstep(single.numpy()).dtype == np.float32
