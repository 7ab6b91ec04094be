"""Faces are brought to one light before they are compared; what moves is not taken for light."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.textures import noisy, texture
from vidrestore.restoration.temporal.light import CELLS, Broad, Light
from vidrestore.restoration.temporal.motion import SIDE, Motion, View

#: Horizontal places, from 0 to 1.
ACROSS = torch.linspace(0, 1, 512)

#: Changes of light, by name.
CHANGES = {
    "flicker": lambda x: 0.84 * x,
    "flash": lambda x: 1.9 * x + 20 / 255,
    "fade to white": lambda x: 0.5 * x + 0.5,
    "fade to black": lambda x: 0.1 * x,
    "coloured lamps": lambda x: x * torch.tensor([1.2, 0.9, 0.7])[:, None, None],
    "lamp from one side": lambda x: x * (0.5 + 0.6 * ACROSS),
}


def view(image: torch.Tensor) -> View:
    return View.from_image(image.clamp(0, 1))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_face_is_brought_to_another_light(change):
    dim = 0.6 * texture(size=512)
    there, here = view(dim), view(change(dim))
    light = Light.between(here.broad, [there.broad])[0]
    assert light is not None
    known = (here.colours < 250).all(axis=2)
    error = np.abs(light.apply(there.colours) - here.colours)[known]
    assert error.mean() < 0.06 * np.abs(there.colours - here.colours)[known].mean() + 0.3


def test_even_light_is_left_alone():
    here, there = (view(image) for image in noisy([texture(size=512)] * 2, 6))
    assert Light.between(here.broad, [there.broad])[0] is None


@pytest.mark.parametrize(("gain", "is_evident"), [(1.005, False), (0.9, True), (1.3, True)])
def test_features_follow_evident_light_alone(gain: float, is_evident: bool):
    full, none = np.full((CELLS, CELLS, 3), gain, np.float32), np.zeros((CELLS, CELLS, 3), np.float32)
    assert Light(full, none).is_evident == is_evident
    assert Motion(None, none[..., 0], 0.0, Light(full, none)).is_relit == is_evident


def test_a_face_that_moves_in_even_light_is_left_alone():
    still = texture(size=512)
    assert Light.between(view(still).broad, [view(still.roll(4, 2)).broad])[0] is None


def test_light_that_raises_noise_makes_it_less_certain():
    noise = 10 * np.random.default_rng(0).standard_normal((SIDE, SIDE, 3)).astype(np.float32)
    bright, none = np.full((CELLS, CELLS, 3), 1.5, np.float32), np.zeros((CELLS, CELLS, 3), np.float32)
    light = Light(bright, none)
    np.testing.assert_allclose(
        light.certainty(SIDE), (noise.std() / light.apply(100 + noise).std()) ** 2, rtol=1e-2
    )
    assert Light(1 / bright, none).certainty(SIDE).max() == 1


def test_an_opening_mouth_is_no_light():
    still = texture(size=512)
    opened = still.clone()
    opened[:, 340:420, 210:300] = 0.1
    light = Light.between(view(opened).broad, [view(still).broad])[0]
    assert light is None or np.abs((light.gain - 1) * 128 + light.offset).max() < 6


def test_a_clipped_face_does_not_decide():
    """In a flash half of the face is white: its light is measured where it is not."""
    plain = texture(size=512)
    lit = (1.9 * plain + 20 / 255).clamp(0, 1)
    light = Light.between(view(lit).broad, [view(plain).broad])[0]
    assert light is not None
    dark = view(plain).colours < 110
    assert np.abs(light.apply(view(plain).colours) - view(lit).colours)[dark].mean() < 5


@pytest.mark.parametrize("value", [0.0, 1.0], ids=["black", "white"])
def test_a_face_without_any_light_has_finite_gains(value):
    blank, face = view(torch.full((3, 512, 512), value)), view(texture(size=512))
    for here, there in ((blank, face), (face, blank), (blank, blank)):
        light = Light.between(here.broad, [there.broad])[0]
        assert light is None or (np.isfinite(light.gain).all() and np.isfinite(light.offset).all())
    light = Light.between(blank.broad, [face.broad])[0]
    assert light is not None
    np.testing.assert_allclose(light.apply(face.colours), 255 * value, atol=6)


def test_broad_colours_and_what_is_known_of_them():
    colours = np.full((SIDE, SIDE, 3), 100, np.float32)
    colours[: SIDE // 2, :, 0] = 255
    broad = Broad.of(colours)
    assert broad.colours.shape == broad.known.shape == (CELLS, CELLS, 3)
    assert broad.known[: CELLS // 2, :, 0].max() == 0
    assert broad.known[CELLS // 2 :].min() == broad.known[..., 1:].min() == 1
