"""Limits on what restoration may do to a face."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.support.textures import texture
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.fidelity.limits import hold_in_range, soften
from vidrestore.restoration.fidelity.parts import Parts, find_parts
from vidrestore.restoration.luma import luma

SOFT, BLURRED, NOISY = (
    FaceQuality(size=200, sharpness=sharpness, noise=noise, yaw=0)
    for sharpness, noise in ((0.5, 0.3), (0.25, 0.3), (0.5, 4.0))
)
EYE = (slice(215, 265), slice(168, 218))
NOSTRIL = (slice(316, 338), slice(224, 246))
CHEEK = (slice(310, 330), slice(96, 116))


def parts(count: int = 1, size: int = 512) -> Parts:
    return find_parts(np.repeat(TEMPLATE[None] * size / 512, count, axis=0), size, 128)


def held(
    restored: torch.Tensor,
    image: torch.Tensor,
    quality: FaceQuality = SOFT,
    w: float = 0.0,
    doubt: float = 1.0,
) -> torch.Tensor:
    where = parts(size=image.shape[-1])
    return hold_in_range(restored[None].clone(), image[None], where, torch.tensor([w]), [quality], [doubt])[0]


def grey(value: float) -> torch.Tensor:
    return torch.full((3, 512, 512), value)


def with_disc(image: torch.Tensor, value: float = 1.0) -> torch.Tensor:
    """``image`` with a pale disc in the left eye, as a model draws it in a blurred catchlight."""
    y, x = torch.meshgrid(*2 * [torch.arange(512.0)], indexing="ij")
    disc = (((x - 193) ** 2 + (y - 240) ** 2) < 64).float()
    return image * (1 - disc) + value * disc


def excess(result: torch.Tensor, image: torch.Tensor, reach: int = 4) -> float:
    """Levels by which the eye of ``result`` is outside the range of ``image`` in a square around."""
    x, y = (255 * luma(picture, 0)[None, None] for picture in (image, result))
    high = F.max_pool2d(x, 2 * reach + 1, 1, reach)
    low = -F.max_pool2d(-x, 2 * reach + 1, 1, reach)
    return float(torch.maximum(y - high, low - y)[0, 0][EYE].max())


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("w", [0.0, 0.5, 1.0])
def test_a_disc_in_a_soft_eye_is_held_in_its_range(value, w):
    image = 0.2 + 0.4 * texture(size=512)
    drawn = with_disc(image, value)
    assert excess(drawn, image) > 40
    assert excess(held(drawn, image, w=w), image) < 10


def test_what_is_in_range_stays():
    image = texture(size=512)
    assert torch.allclose(luma(held(image, image), 0), luma(image, 0), atol=1 / 255)
    assert torch.allclose(held(image, image), image, atol=4 / 255)  # its colours are smoothed a little
    assert torch.allclose(held(grey(0.5), grey(0.5)), grey(0.5), atol=1e-5)


def test_other_places_are_free():
    drawn = texture(2, 512)
    assert torch.equal(held(drawn, texture(1, 512))[:, *CHEEK], drawn[:, *CHEEK])


def test_a_blurred_and_a_noisy_face_are_freer_than_a_soft_one():
    image = 0.2 + 0.4 * texture(size=512)
    found = [excess(held(with_disc(image), image, quality), image) for quality in (SOFT, BLURRED, NOISY)]
    assert found[0] < found[1]
    assert found[0] < found[2]


def test_w_takes_freedom_away_smoothly():
    image = 0.2 + 0.4 * texture(size=512)
    drawn = with_disc(image)
    changes = torch.tensor([excess(held(drawn, image, BLURRED, w), image, 1) for w in np.linspace(0, 1, 9)])
    assert (changes.diff() < 0).all()
    assert changes.diff().abs().max() < 0.3 * (changes[0] - changes[-1])


def test_at_w_1_a_soft_eye_is_nearly_the_input():
    image = 0.2 + 0.4 * texture(size=512)
    change = 255 * (held(texture(2, 512), image, SOFT, 1.0) - image)[:, *EYE].abs()
    assert change.mean() < 6


def test_a_speck_of_colour_gives_way_to_the_inputs_colour():
    drawn = grey(0.5)
    drawn[1, 230:250, 183:203] += 0.1
    result = held(drawn, grey(0.5))
    assert (result.amax(dim=0) - result.amin(dim=0))[EYE].max() < 0.01


@pytest.mark.parametrize("quality", [SOFT, BLURRED, NOISY])
def test_no_colour_is_invented_in_a_face_of_any_quality(quality):
    """A red nostril stays red, though the model draws it grey; a red that is near stays possible."""
    image = torch.tensor([0.7, 0.45, 0.3])[:, None, None] - 0.2 * spot(235, 327, 6)
    drawn = image.lerp(grey(0.35), (spot(235, 327, 8) > 0.5).float())
    result = held(drawn, image, quality)
    redness = [float((picture[0] - picture[2])[NOSTRIL].min()) for picture in (image, drawn, result)]
    assert redness[1] == pytest.approx(0, abs=1e-3)
    assert redness[2] > 0.8 * redness[0]


def test_the_limit_is_soft():
    """The result rises with what was drawn, without a step and without a plateau."""
    image, values = grey(0.5), np.linspace(0.5, 0.7, 41)
    found = torch.stack([held(with_disc(image, float(v)), image, NOISY)[0, 240, 193] for v in values])
    assert (found.diff() > 0).all()
    assert found.diff().max() < 0.0051


def test_a_face_does_not_depend_on_its_batch():
    image, drawn = texture(1, 512), texture(2, 512)
    other = find_parts(np.stack([TEMPLATE, TEMPLATE + 40]), 512, 128)
    both = hold_in_range(
        torch.stack([drawn, drawn]),
        torch.stack([image, image]),
        other,
        torch.zeros(2),
        [SOFT, NOISY],
        [1.0, 0.5],
    )
    assert torch.allclose(both[0], held(drawn, image), atol=1e-5)


def test_small_faces_are_limited_alike():
    image = 0.2 + 0.4 * texture(size=64)
    change = (held(texture(2, 64), image) - image)[:, 28:32, 22:26].abs().max()
    assert change < (texture(2, 64) - image)[:, 28:32, 22:26].abs().max()


def test_a_worn_face_has_no_edges_that_the_model_drew():
    image = grey(0.5)
    drawn = image.clone()
    drawn[:, :, 256:] = 0.8
    edges = [
        float(soften(drawn[None].clone(), image[None], [worn])[0, 0].diff(dim=1).abs().max())
        for worn in (0.0, 0.5, 1.0)
    ]
    assert edges[0] == pytest.approx(0.3)
    assert edges[1] < 0.7 * edges[0]
    assert edges[2] < 0.4 * edges[0]
    assert drawn.mean() == pytest.approx(
        float(soften(drawn[None].clone(), image[None], [1.0]).mean()), abs=1e-3
    )


def test_a_worn_face_keeps_some_of_its_own_detail():
    own = grey(0.5) + 0.05 * (torch.arange(512) % 2 - 0.5)
    result = soften(grey(0.6)[None], own[None], [1.0])[0]
    assert 0.01 < result[0].diff(dim=1).abs().mean() < 0.049


def test_a_blurred_face_is_freer_to_lighten_what_is_light_in_its_surroundings():
    """Blur has taken contrast away there; a pale disc in a dark pupil is invented."""
    y, x = torch.meshgrid(*2 * [torch.arange(512.0)], indexing="ij")
    spot = torch.exp(-((x - 193) ** 2 + (y - 240) ** 2) / 800)
    dark, light = (0.5 + sign * 0.3 * spot.expand(3, -1, -1) for sign in (-1, 1))
    for value, invented, own in ((1.0, dark, light), (0.0, light, dark)):
        kinds = [excess(held(with_disc(image, value), image, BLURRED), image, 5) for image in (invented, own)]
        assert kinds[0] < 10
        assert kinds[1] > 20


def test_a_nearly_clean_eye_is_nearly_the_input_at_any_w():
    image = 0.2 + 0.4 * texture(size=512)
    quality = FaceQuality(size=200, sharpness=0.6, noise=0.9, yaw=0)
    for w in (0.0, 0.5):
        change = 255 * (held(texture(2, 512), image, quality, w) - image)[:, *EYE].abs()
        assert change.mean() < 5


def spot(x: int, y: int, deviation: float) -> torch.Tensor:
    rows, columns = torch.meshgrid(*2 * [torch.arange(512.0)], indexing="ij")
    return torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * deviation**2)).expand(3, -1, -1)


def test_nostrils_come_out_little_darker_and_sharper_than_they_were():
    """A model draws a black disc where a soft face has a shade."""
    image = 0.6 - 0.15 * spot(235, 327, 6)
    drawn = image.lerp(grey(0.05), (spot(235, 327, 8) > 0.5).float())
    result = held(drawn, image)
    assert result[0][NOSTRIL].min() > image[0][NOSTRIL].min() - 0.1
    steepest = [float(picture[0][NOSTRIL].diff(dim=1).abs().max()) for picture in (image, drawn, result)]
    assert steepest[1] > 0.3
    assert steepest[2] < 0.05


def test_an_edge_within_the_range_of_a_soft_eye_becomes_only_a_little_sharper():
    """A hook at the corner of an eye has no value that the eye has not, but a hard outline."""
    x = torch.arange(512.0).expand(3, 512, 512)
    image, drawn = (0.5 - 0.2 * torch.tanh((x - 193) / width) for width in (12.0, 0.5))
    steepest = [
        float(picture[0][EYE].diff(dim=1).abs().max())
        for picture in (image, drawn, held(drawn, image, BLURRED), held(drawn, image, BLURRED, 1.0))
    ]
    assert steepest[2] < 0.4 * steepest[1]
    assert steepest[0] < steepest[3] < steepest[2]
    trusted = held(drawn, image, BLURRED, doubt=0.0)
    assert trusted[0][EYE].diff(dim=1).abs().max() > 0.7 * steepest[1]


def test_what_w_takes_from_the_models_edges_of_a_blurred_eye_an_unsharp_mask_gives_back():
    """Without its noise and with few new edges a blurred eye would look flatter than before."""
    x = torch.arange(512.0).expand(3, 512, 512)
    clean = 0.5 - 0.2 * torch.tanh((x - 193) / 8)
    image = clean + 0.1 * (texture(1, 512) - 0.5)
    steepest = [
        float(picture[0][EYE].diff(dim=1).abs().max())
        for picture in (clean, *(held(clean, image, BLURRED, w) for w in (0.0, 0.5, 1.0)))
    ]
    assert steepest[1] < 1.005 * steepest[0]
    assert 1.01 * steepest[0] < steepest[2] < steepest[3] < 1.3 * steepest[0]
    for quality, doubt in ((BLURRED, 0.0), (SOFT, 1.0)):
        unchanged = held(clean, image, quality, 1.0, doubt)
        assert unchanged[0][EYE].diff(dim=1).abs().max() < 1.005 * steepest[0]
