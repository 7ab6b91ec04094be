"""The learning rate rises, stays and falls."""

from __future__ import annotations

import pytest

from vidrestore.training.schedule import learning_rate


@pytest.mark.parametrize("decay", [1.0, 0.25])
def test_the_rate_rises_stays_and_falls(decay: float) -> None:
    rates = [learning_rate(step, steps=200, rate=2e-3, decay=decay) / 2e-3 for step in range(200)]
    assert rates[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert rates == [*sorted(rates[:4]), *sorted(rates[4:], reverse=True)]
    constant = sum(rate == pytest.approx(1.0) for rate in rates)
    assert constant == pytest.approx(200 * (1 - decay), abs=5)
    assert rates[-1] == pytest.approx(0.02, abs=0.01)


def test_the_warm_up_of_a_long_stage_is_short() -> None:
    rates = [learning_rate(step, steps=100_000, rate=1.0, decay=0.5) for step in (0, 149, 299, 300)]
    assert rates == pytest.approx([1 / 300, 0.5, 1.0, 1.0])
