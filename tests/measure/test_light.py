"""Changing light is laid over a clip, and measured in its restorations."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.clips import decode
from tests.support.textures import texture
from vidrestore.measure.clips import ClipFace
from vidrestore.measure.light import LIGHTS, LightMeter, write_lit
from vidrestore.media.timeline import Span

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


def test_light_is_laid_over_each_frame(tmp_path: Path) -> None:
    write_lit(SAMPLE, tmp_path / "lit.mkv", LIGHTS["flicker-16"], span=Span(end=Fraction(1, 5)))
    plain, lit = (
        [frame.to_ndarray(format="rgb24").astype(float) for frame in decode(path)]
        for path in (SAMPLE, tmp_path / "lit.mkv")
    )
    assert len(lit) == 5
    for number, (before, after) in enumerate(zip(plain, lit, strict=False)):
        gain, _ = LIGHTS["flicker-16"](number)
        assert after.mean() == pytest.approx((gain * before).clip(0, 255).mean(), abs=2)


def test_a_flash_goes_off_in_every_tenth_frame() -> None:
    assert [n for n in range(30) if LIGHTS["flash"](n)[0] > 1] == [4, 14, 24]


def test_brightness_is_compared_with_the_input_and_warping_is_that_of_even_light() -> None:
    light = LIGHTS["flicker-30"]
    meter = LightMeter(light)
    clean = 0.6 * 255 * texture(size=512)
    for number in range(6):
        gain, _ = light(number)
        own = (gain * clean).round().byte()
        darker = (own.float() - 3 * (number == 2)).clamp(0, 255).round().byte()
        meter.add(ClipFace(number, 1, own, torch.stack((own, own, darker))))
    figures = meter.figures()
    np.testing.assert_allclose(figures["brightness"], (0, 0, 3), atol=0.05)
    np.testing.assert_allclose(figures["brightness_mean"], (0, 0, 0.5), atol=0.05)
    assert figures["face_psnr"][2] < figures["face_psnr"][1]
    assert abs(figures["warping"][1]) < 0.05 < figures["warping"][2]
