"""Random degradations: repeatable, within their ranges, and of every kind in its share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vidrestore.degradation.codecs import VIDEO_CODECS
from vidrestore.degradation.degrade import Degradation
from vidrestore.degradation.draw import COMBED, SOFT, TAPED, draw


def test_draws_are_repeatable_and_within_range() -> None:
    drawn = [draw(np.random.default_rng((5, i))) for i in range(600)]
    assert drawn == [draw(np.random.default_rng((5, i))) for i in range(600)]
    clean = sum(d == Degradation() for d in drawn) / len(drawn)
    assert 0.02 < clean < 0.07
    rest = [d for d in drawn if d != Degradation()]
    assert all((d.jpeg is None) != (d.crf is None) for d in rest)
    encoded = [d for d in rest if d.crf is not None]
    assert 0.2 < len(encoded) / len(rest) < 0.4
    assert {d.codec for d in encoded} == set(VIDEO_CODECS)
    assert all(2 <= d.crf <= (14 if d.codec == "mpeg2" else 37) for d in encoded)
    assert all(0 < d.blur <= 10 and 1 <= d.scale <= 16 and 0 <= d.noise <= 15 for d in rest)
    assert all(0 <= o < 16 for d in rest for o in d.offset)
    for name, share in (("comb", COMBED), ("tape", TAPED), ("denoise", SOFT)):
        assert sum(bool(getattr(d, name)) for d in rest) / len(rest) == pytest.approx(share, abs=0.04)
    assert max(d.scale for d in rest) > 12
    assert np.median([d.scale for d in rest]) < 4


def test_the_form_of_the_paper() -> None:
    drawn = [draw(np.random.default_rng((5, i)), form="paper") for i in range(600)]
    ranges = {"blur": (1, 15), "scale": (1, 30), "noise": (0, 20), "jpeg": (30, 90)}
    for name, (low, high) in ranges.items():
        values = np.array([getattr(d, name) for d in drawn])
        assert values.min() >= low
        assert values.max() <= high
        # Uniform: about a tenth of them in each tenth of the range.
        counts = np.histogram(values, bins=10, range=(low, high))[0]
        assert np.all(abs(counts - 60) < 30), name
    rest = {replace(d, blur=0, scale=1, noise=0, jpeg=None) for d in drawn}
    assert rest == {Degradation(down="bilinear", up="bilinear")}


def test_noise_of_a_monochrome_image_is_monochrome() -> None:
    for form in ("video", "paper"):
        drawn = [draw(np.random.default_rng(i), form=form, mono=True) for i in range(50)]
        assert all(d.grey_noise for d in drawn if d != Degradation())


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown form of degradations 'film'"):
        draw(np.random.default_rng(0), form="film")


def test_a_soft_broadcast_has_little_noise() -> None:
    drawn = [draw(np.random.default_rng((5, i))) for i in range(600)]
    soft = [d for d in drawn if d.denoise]
    assert all(d.noise <= 4.5 and not d.grain and d.scale <= 5 for d in soft)
    assert {bool(d.sharpen) for d in soft} == {False, True}
    assert not any(d.sharpen for d in drawn if not d.denoise)
