"""A picture of one hue stays so, along whatever curve its hue follows; one in colour stays in colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.support.portraits import aligned_portraits
from tests.support.textures import noisy, texture
from vidrestore.restoration.luma import luma
from vidrestore.restoration.temporal.face_crop import RestoredFace
from vidrestore.restoration.temporal.motion import NO_COMPARISON
from vidrestore.restoration.temporal.tint import keep_hue, measure_tints, stabilise_colour

#: Luma, then R, G, B there, 0 to 255.
_CYANOTYPE = ((0, 5, 15, 50), (80, 25, 75, 120), (160, 130, 170, 200), (255, 240, 248, 250))
_SPLIT = ((0, 10, 20, 50), (90, 80, 95, 110), (170, 185, 170, 140), (255, 255, 245, 220))
#: Two inks, as in a tinted print: violet shadows, red skin, yellow lights.
_TWO_INKS = ((0, 20, 0, 60), (128, 190, 70, 90), (255, 255, 235, 170))


def portrait(name: str = "collins", saturation: float = 1.0) -> Tensor:
    """(3, 512, 512) RGB in [0, 1]."""
    image = torch.from_numpy(aligned_portraits()[name].copy()).permute(2, 0, 1).float() / 255
    grey = luma(image, 0)
    return grey + saturation * (image - grey)


def sepia(image: Tensor) -> Tensor:
    """The usual matrix, which clips red and then green in the lights."""
    matrix = torch.tensor([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    return torch.tensordot(matrix, image, dims=([1], [0])).clamp(0, 1)


def along(curve: tuple[tuple[int, ...], ...], image: Tensor) -> Tensor:
    points = np.array(curve, float)
    y = luma(image, 0).numpy() * 255
    channels = [np.interp(y, points[:, 0], points[:, c]) for c in (1, 2, 3)]
    return torch.from_numpy(np.stack(channels)).float() / 255


TONED = {
    "grey": lambda image: luma(image, 0).expand(3, -1, -1),
    "sepia": sepia,
    "cyanotype": lambda image: along(_CYANOTYPE, image),
    "split": lambda image: along(_SPLIT, image),
    "two inks": lambda image: along(_TWO_INKS, image),
}


def codec_chroma(image: Tensor, deviation: float, seed: int = 0) -> Tensor:
    """``image`` with chroma errors of ``deviation`` (of 255) in blocks of 8 x 8 pixels, and grain in its
    luma."""
    generator = torch.Generator().manual_seed(seed)
    errors = torch.randn((1, 3, 64, 64), generator=generator) * deviation / 255
    errors = F.interpolate(errors - luma(errors, 1)[:, None], (512, 512))[0]
    return (image + errors + torch.randn((512, 512), generator=generator) * 5 / 255).clamp(0, 1)


def chroma(image: Tensor) -> Tensor:
    return image - luma(image, 0)


def chroma_of_tone(name: str, y: Tensor) -> Tensor:
    """The chroma of tone ``name`` at luma ``y`` (S, S)."""
    ramp = TONED[name](torch.linspace(0, 1, 1024).expand(3, 1, -1))[:, 0]
    at = luma(ramp, 0).numpy()
    return torch.from_numpy(np.stack([np.interp(y, at, channel - at) for channel in ramp.numpy()])).float()


def face_with(tint: Tensor) -> RestoredFace[None]:
    return RestoredFace(
        track=1, source=None, layers=torch.zeros(4, 8, 8), tint=tint, comparison=NO_COMPARISON
    )


def hue_of(*images: Tensor) -> Tensor:
    """The hue that the first of ``images`` is kept to, the others being around it."""
    first, *around = map(face_with, measure_tints(torch.stack(images)))
    hue = stabilise_colour(first, list(enumerate(around, start=1))).hue
    assert hue is not None
    return hue


INNER = (slice(None), slice(128, 448), slice(96, 416))


@pytest.mark.parametrize("name", TONED)
@pytest.mark.parametrize("errors", [0.0, 3.0])
def test_a_picture_of_one_hue_stays_so(name, errors):
    image = codec_chroma(TONED[name](portrait()), errors)
    alien = 0.15 * (texture(5, 512) - texture(6, 512))
    restored = (image + alien).clamp(0, 1)
    found = keep_hue(restored, image, hue_of(image))
    wrong = [(chroma(x) - chroma_of_tone(name, luma(x, 0)))[INNER].abs().mean() for x in (restored, found)]
    assert wrong[0] > 4 / 255
    assert wrong[1] < 2.5 / 255
    inside = (found > 0).all(0) & (found < 1).all(0)
    torch.testing.assert_close(luma(found, 0)[inside], luma(restored, 0)[inside], atol=0.002, rtol=0)


def test_a_grey_picture_stays_exactly_grey():
    grey = TONED["grey"](portrait())
    found = keep_hue(texture(1, 512), grey, hue_of(grey))
    assert chroma(found).abs().max() < 0.1 / 255


@pytest.mark.parametrize("name", ["collins", "hopper"])
def test_a_picture_in_colour_stays_in_colour(name):
    image, restored = portrait(name), texture(1, 512)
    assert keep_hue(restored, image, hue_of(image)).equal(restored)


@pytest.mark.parametrize("saturation", [0.6, 0.3])
def test_a_pale_face_in_colour_keeps_its_colours(saturation):
    """Even where it counts as of one hue: lips are redder than skin of the same luma."""
    image = portrait("collins", saturation)
    found = keep_hue(image, image, hue_of(image))
    off = chroma(found) - chroma(image)
    assert off[INNER].square().mean().sqrt() < 2.0 / 255
    lips = (slice(None), slice(384, 400), slice(225, 290))
    assert off[lips].mean(dim=(1, 2)).abs().max() < 1.5 / 255


def test_one_frame_does_not_decide():
    grey = TONED["grey"](portrait())
    found = keep_hue(texture(1, 512), grey, hue_of(grey, grey, portrait()))
    assert chroma(found).abs().max() < 1 / 255


@pytest.mark.parametrize("light", [0.4, 0.6, 0.8])
def test_light_does_not_decide(light):
    """A face somewhere between of one hue and in colour keeps as much colour of its own in any light."""
    image, restored = portrait(saturation=0.7), texture(1, 512)
    kept = [chroma(keep_hue(restored, x, hue_of(x))).std() for x in (image, image * light)]
    assert 0.2 < kept[0] / chroma(restored).std() < 0.95
    assert kept[1] == pytest.approx(float(kept[0]), rel=0.1)


def test_chroma_noise_is_not_colour():
    """Neither a codec's errors nor grain in colour, which differ between frames."""
    toned = sepia(portrait())
    frames = [codec_chroma(image, 6, seed) for seed, image in enumerate(noisy([toned] * 7, 12))]
    found = keep_hue(texture(1, 512), toned, hue_of(*frames))
    assert (chroma(found) - chroma_of_tone("sepia", luma(found, 0)))[INNER].abs().mean() < 4 / 255


def test_brightness_that_the_input_has_not_takes_the_nearest_tone():
    """A catchlight that the network draws is tinted little more than the lightest tone: the curve levels."""
    image = 0.3 + 0.2 * TONED["grey"](portrait()) * torch.tensor([1.2, 1.0, 0.7])[:, None, None]
    lightest = torch.full((3, 512, 512), float(luma(image, 0).max()))
    found = [keep_hue(x, x, hue_of(image)) for x in (lightest, lightest + 0.3)]
    tints = [measure_tints(image[None])[0, 0, i] for i in (6, 11)]
    assert 0 < tints[0] < tints[1] < 2 * tints[0]
    assert all(torch.isfinite(x).all() for x in found)
