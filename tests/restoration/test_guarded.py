"""Faces are restored within limits, whatever the model draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.textures import texture
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.guarded import Guarded, Guards, render_within_limits
from vidrestore.restoration.restorer import FaceRestorer, Observation, RestorerSpec

SIZE = 512
SPEC = RestorerSpec(name="x", input_size=SIZE, precisions=("fp32",), licence="none", readable=(0.2, 0.3))
CLEAR, WORN = (FaceQuality(size=200, sharpness=sharpness, noise=1, yaw=0) for sharpness in (0.5, 0.1))
EYE, CHEEK = (slice(220, 260), slice(173, 213)), (slice(310, 330), slice(96, 116))
IMAGE, OTHER = texture(1, SIZE), texture(2, SIZE)

Drawing = Callable[[float], torch.Tensor]


class Painter(FaceRestorer):
    """Draws, for each face, what its drawing makes of ``w``."""

    spec = SPEC

    def __init__(self) -> None:
        self.rendered: list[list[float]] = []

    def observe(self, faces):
        raise NotImplementedError

    def render(self, observations, w):
        self.rendered.append([round(float(value), 3) for value in w])
        return torch.stack([seen.rest(float(value)) for seen, value in zip(observations, w, strict=True)])


def restore(
    *drawings: Drawing, w: float = 0.5, quality: FaceQuality = CLEAR, keep_colours: bool = False
) -> tuple[torch.Tensor, Painter]:
    guarded, painter = guard(*drawings, w=w, quality=quality, keep_colours=keep_colours)
    return guarded.images, painter


def guard(
    *drawings: Drawing, w: float = 0.5, quality: FaceQuality = CLEAR, keep_colours: bool = False
) -> tuple[Guarded, Painter]:
    painter, count = Painter(), len(drawings)
    seen = [Observation(torch.zeros(1, 1, 1), torch.zeros(1, 1), drawing) for drawing in drawings]
    result = render_within_limits(
        painter,
        seen,
        torch.stack([IMAGE] * count),
        [w] * count,
        np.repeat(TEMPLATE[None], count, axis=0),
        [quality] * count,
        keep_colours=keep_colours,
    )
    return result, painter


def with_part(image: torch.Tensor, place: tuple[slice, slice], of: torch.Tensor) -> torch.Tensor:
    image = image.clone()
    image[:, *place] = of[:, *place]
    return image


def off(result: torch.Tensor, place: tuple[slice, slice]) -> float:
    return float((result - IMAGE)[:, *place].abs().mean())


def sharpened(w: float) -> torch.Tensor:
    low = torch.nn.functional.avg_pool2d(IMAGE[None], 5, 1, 2)[0]
    return (IMAGE + 0.3 * (IMAGE - low)).clamp(0, 1)


def test_a_faithful_face_is_rendered_once_and_kept():
    [result], painter = restore(sharpened)
    assert painter.rendered == [[0.5]]
    assert torch.equal(result[:, *CHEEK], sharpened(0)[:, *CHEEK])


def test_only_the_face_that_departs_is_rendered_again_with_a_larger_w():
    results, painter = restore(sharpened, lambda w: OTHER.lerp(IMAGE, w), sharpened)
    assert [len(some) for some in painter.rendered] == [3, 1]
    assert painter.rendered[1][0] > 0.9
    assert off(results[1], CHEEK) < 0.03
    assert torch.equal(results[0], results[2])


def test_a_face_that_shows_more_than_codes_hold_gets_a_larger_w():
    class Coder(Painter):
        spec = replace(SPEC, codes_hold=(0.4, 0.6))

    seen = [Observation(torch.zeros(1, 1, 1), torch.zeros(1, 1), sharpened)] * 3
    qualities = [replace(CLEAR, sharpness=value) for value in (0.35, 0.5, 0.7)]
    landmarks, images = np.repeat(TEMPLATE[None], 3, axis=0), torch.stack([IMAGE] * 3)
    painter = Coder()
    guarded = render_within_limits(painter, seen, images, [0.5, 0.5, 0.0], landmarks, qualities)
    assert painter.rendered == [[0.5, 0.75, 1.0]]
    assert guarded.guards is not None
    assert guarded.guards[:, 0].tolist() == [0.5, 0.75, 1.0]


def test_a_face_that_departs_at_any_w_gives_way_to_its_input():
    [result], painter = restore(lambda w: OTHER)
    assert painter.rendered == [[0.5], [1.0]]
    assert torch.allclose(result, IMAGE, atol=4 / 255)  # its colours are smoothed a little


def test_at_w_1_it_is_not_rendered_again():
    [result], painter = restore(lambda w: OTHER, w=1.0)
    assert painter.rendered == [[1.0]]
    assert torch.allclose(result, IMAGE, atol=4 / 255)


def test_an_eye_that_departs_gives_way_by_itself():
    drawn = with_part(IMAGE, (slice(200, 280), slice(140, 245)), OTHER)
    drawn[:, *CHEEK] += 0.05
    [result], _ = restore(lambda w: drawn)
    assert off(drawn, EYE) > 0.05
    assert off(result, EYE) < 0.02
    assert off(result, CHEEK) == pytest.approx(0.05, abs=0.005)


def test_what_the_guards_made_of_each_face_is_said():
    drawn = with_part(IMAGE, (slice(200, 280), slice(140, 245)), OTHER)
    guarded, _ = guard(sharpened, lambda w: OTHER, lambda w: drawn)
    good, other, eye = (Guards(*values) for values in guarded.guards.tolist())
    assert good.w == 0.5
    assert good.identity < 0.1
    assert max(good[2:]) == 0
    assert (other.w, other.face) == (1, 1)
    assert other.identity > 0.35
    assert eye.w > 0.9
    assert eye.left_eye > 0.5 > max(eye.face, eye.right_eye, eye.mouth)


def test_noise_gives_way_to_the_input():
    noise = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    [result], _ = restore(lambda w: noise, quality=WORN)
    assert torch.allclose(result, IMAGE, atol=0.02)


def test_what_is_not_finite_gives_way_to_the_input():
    [result], _ = restore(lambda w: torch.full_like(IMAGE, torch.nan))
    assert torch.allclose(result, IMAGE, atol=4 / 255)


@pytest.mark.parametrize(("quality", "kept"), [(CLEAR, 1.0), (WORN, 0.4)])
def test_a_face_that_is_too_worn_for_the_model_gets_no_edges(quality, kept):
    stripes = IMAGE + 0.04 * (torch.arange(SIZE) // 4 % 2 - 0.5)
    [result], _ = restore(lambda w: stripes, quality=quality)
    edge = (result - IMAGE)[:, *CHEEK].diff(dim=2).abs().max()
    assert edge <= 0.04 * kept + 0.005
    assert edge >= 0.04 * kept - 0.03


def test_eyes_stay_in_the_range_of_their_input():
    drawn = IMAGE.clone()
    drawn[:, 236:242, 190:196] = 1.0
    [result], _ = restore(lambda w: drawn)
    assert off(drawn, (slice(236, 242), slice(190, 196))) > 0.2
    assert off(result, (slice(236, 242), slice(190, 196))) < 0.1


def test_colours_are_kept_on_demand():
    drawn = (IMAGE + 0.04).clamp(0, 1)
    assert off(restore(lambda w: drawn)[0][0], CHEEK) > 0.03
    assert off(restore(lambda w: drawn, keep_colours=True)[0][0], CHEEK) < 0.01


def test_eyes_of_a_worn_face_are_mostly_its_own():
    drawn = IMAGE.lerp(1 - IMAGE, 0.05)
    [result], _ = restore(lambda w: drawn, quality=WORN)
    assert off(result, EYE) < 0.5 * off(drawn, EYE)
    assert off(result, CHEEK) > 0.9 * off(drawn, CHEEK)
