"""Still faces stop flickering, moving ones do not smear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.textures import SIZE, noisy, texture
from vidrestore.restore.temporal.blend import Contribution, blend
from vidrestore.restore.temporal.face_crop import Portrait
from vidrestore.restore.temporal.motion import MAP, Motion, View, likeness
from vidrestore.restore.temporal.stabilise import REACH, compare, steady_input, steady_output
from vidrestore.runtime.windows import windowed


def portraits(images: list[torch.Tensor], restored: list[torch.Tensor] | None = None) -> list[Portrait]:
    return [
        Portrait(
            track=1,
            image=image,
            view=View.of(image),
            layers=torch.cat((restored[i], torch.ones_like(image[:1]))) if restored else None,
        )
        for i, image in enumerate(images)
    ]


def over_time(parts: list[Portrait], *works) -> list[Portrait]:
    items = ((i, [part]) for i, part in enumerate(parts))
    for work in works:
        items = windowed(items, work, key=lambda portrait: portrait.track, reach=REACH)
    return [part for _, (part,) in items]


def test_flow_brings_a_shifted_face_back():
    image = texture()
    shifted = torch.roll(image, (3, -2), dims=(1, 2))
    motion = Motion.between(View.of(image), View.of(shifted))
    inner = slice(MAP // 6, -MAP // 6)
    assert np.abs(motion.flow[inner, inner] * (SIZE / MAP) - (-2, 3)).mean() < 0.3
    inner = slice(SIZE // 6, -SIZE // 6)
    brought = 2 * blend(image, [Contribution(shifted, motion.flow, np.ones((MAP, MAP), "f4"))]) - image
    difference = (brought - image)[:, inner, inner].abs().mean()
    assert difference < 0.15 * (shifted - image)[:, inner, inner].abs().mean()
    assert motion.noise < 1


def test_likeness_falls_from_one():
    errors = torch.tensor([0.0, 1.0, 2.0, 4.0])
    like = likeness(errors, 1.0, free=2.0, fall=2.0)
    torch.testing.assert_close(like, torch.tensor([1.0, 1.0, 1.0, np.exp(-1)], dtype=torch.float32))


def test_noise_averages_out_of_a_still_face():
    clean = [texture()] * 9
    found = over_time(portraits(noisy(clean, 12)), compare, steady_input)
    before = (noisy(clean, 12)[4] - clean[4]).std()
    assert (found[4].image - clean[4]).std() < 0.5 * before
    assert found[4].noise > 4


def test_a_clean_input_is_left_alone():
    images = [texture()] * 7
    found = over_time(portraits(noisy(images, 0.5)), compare, steady_input)
    torch.testing.assert_close(found[3].image, noisy(images, 0.5)[3], atol=0.003, rtol=0)


def test_the_result_flickers_less_where_the_input_is_still():
    images = [texture()] * 40
    restored = noisy([texture()] * 40, 10)
    found = over_time(portraits(images, restored), compare, steady_output)
    before, after = (torch.stack(list(x)).std(dim=0).mean() for x in (restored, (p.restored for p in found)))
    assert after < 0.45 * before


def test_a_moving_face_is_blended_with_the_frames_beside_it_alone():
    """What is far away in time is another picture, whatever it looks like."""
    images = [torch.roll(texture(), 2 * i, dims=2) for i in range(15)]
    restored = [torch.roll(texture(), 2 * i, dims=2) for i in range(15)]
    inner = (slice(None), slice(60, -60), slice(60, -60))
    lit = [image + 0.2 * (i in (1, 13)) for i, image in enumerate(restored)]
    found = over_time(portraits(images, lit), compare, steady_output)
    torch.testing.assert_close(found[7].restored[inner], restored[7][inner], atol=0.01, rtol=0)


@pytest.mark.parametrize(("deviation", "offsets"), [(0.5, {-1, 1}), (20, {-3, -2, -1, 1, 2, 3})])
def test_flow_is_sought_only_where_it_is_used(deviation, offsets):
    parts = over_time(portraits(noisy([texture()] * 9, deviation)), compare)
    assert {o for o, motion in parts[4].motions.items() if motion.flow is not None} == offsets


def test_what_appears_for_one_frame_is_not_smeared():
    """A blink: a patch of the face changes in one frame, in input and result alike."""
    still = texture()
    blink = still.clone()
    patch = (slice(None), slice(100, 140), slice(80, 150))
    blink[patch] = 0.15
    images = [still] * 4 + [blink] + [still] * 4
    found = over_time(portraits(noisy(images, 2), noisy(images, 2)), compare, steady_output)
    core = (slice(None), slice(108, 132), slice(90, 140))
    for i in range(9):
        assert (found[i].restored[core] - images[i][core]).abs().mean() < 0.02, i


def test_a_lone_face_is_itself():
    (portrait,) = over_time(portraits([texture()], [texture(1)]), compare, steady_input, steady_output)
    assert portrait.restored.equal(texture(1))
    assert portrait.image.equal(texture())


def test_a_still_scene_is_known_where_its_alignment_wanders():
    """Crops of one picture whose places differ, as smoothed landmarks do even in a still scene."""
    scene = texture(4, 2 * SIZE)
    shifts = np.round(12 * np.sin(np.arange(40) / 8)).astype(int)
    images = [scene[:, 100 : 100 + SIZE, 100 + s : 100 + s + SIZE] for s in shifts]
    restored = noisy(images, 10)
    parts = [
        replace(p, view=View.of(image, np.array([[1.0, 0, -100 - s], [0, 1, -100], [0, 0, 1]])))
        for p, image, s in zip(portraits(images, restored), images, shifts, strict=True)
    ]
    found = over_time(parts, compare, steady_output)
    inner = (slice(None), slice(40, -40), slice(40, -40))
    before, after = (
        torch.stack([(a - b)[inner] for a, b in zip(faces, images, strict=True)][8:-8]).square().mean().sqrt()
        for faces in (restored, [p.restored for p in found])
    )
    assert after < 0.5 * before
