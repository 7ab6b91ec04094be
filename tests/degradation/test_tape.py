"""Combing, tape, denoising and sharpening, each by its characteristic artefact."""

from __future__ import annotations

import numpy as np
import pytest

from vidrestore.degradation.tape import comb, denoise, sharpen, tape


@pytest.fixture
def edge() -> np.ndarray:
    """Dark red to the left of light blue, (32, 64, 3) float32."""
    image = np.empty((32, 64, 3), np.float32)
    image[:, :32], image[:, 32:] = (120, 40, 40), (180, 190, 230)
    return image


def test_combing_shows_between_the_lines_of_two_fields(edge: np.ndarray) -> None:
    combed = comb(edge, 4.0)
    assert np.abs(combed[:-2] - combed[2:]).max() < 0.01
    assert np.flatnonzero(np.abs(combed[0] - combed[1]).max(axis=-1) > 1).tolist() == [30, 31, 32, 33]
    assert np.array_equal(comb(edge, 0.0), edge)


def test_colour_on_tape_is_softer_than_luma_and_noise_runs_along_the_lines(edge: np.ndarray) -> None:
    recordings = [tape(edge, 0.8, np.random.default_rng(i), mono=False) for i in range(60)]
    mean = np.mean(recordings, axis=0)
    assert mean.mean() == pytest.approx(edge.mean(), abs=1.5)

    def width(signal: np.ndarray) -> float:
        step = np.abs(np.diff(signal.mean(axis=0)))
        return step.sum() / step.max()

    middle = mean[8:24]
    assert width(middle[..., 2] - middle[..., 1]) > 2 * width(middle.sum(axis=-1))
    noise = (recordings[0] - edge)[:, 4:24, 1]
    along, across = (
        np.corrcoef(a.ravel(), b.ravel())[0, 1]
        for a, b in ((noise[:, 1:], noise[:, :-1]), (noise[1:], noise[:-1]))
    )
    assert along > across + 0.3


def test_a_monochrome_tape_stays_monochrome() -> None:
    grey = np.random.default_rng(0).uniform(0, 255, (16, 16, 1)).repeat(3, axis=2).astype(np.float32)
    recording = tape(grey, 1.0, np.random.default_rng(1), mono=True)
    assert np.abs(recording - recording[..., :1]).max() < 0.05


def test_a_denoiser_smooths_areas_and_keeps_edges(edge: np.ndarray) -> None:
    noisy = (edge + np.random.default_rng(0).normal(0, 4, edge.shape)).clip(0, 255).astype(np.uint8)
    smooth = denoise(noisy, 30.0).astype(float)
    assert smooth[:, :28].std(axis=(0, 1)).max() < 0.6 * noisy[:, :28].std(axis=(0, 1)).min()
    assert np.abs(smooth[:, 33] - smooth[:, 30]).mean() > 0.9 * np.abs(edge[:, 33] - edge[:, 30]).mean()


def test_sharpening_overshoots_at_edges(edge: np.ndarray) -> None:
    green = sharpen(edge.astype(np.uint8), 0.8)[..., 1]
    assert green.min() < 30
    assert green.max() > 205
    assert abs(int(green[0, 2]) - 40) <= 1
