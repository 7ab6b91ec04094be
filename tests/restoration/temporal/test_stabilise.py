"""Still faces stop flickering, moving ones do not smear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.textures import SIZE, noisy, texture
from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.temporal.face_crop import ComparedFace, PlannedFace, RestoredFace
from vidrestore.restoration.temporal.motion import NO_COMPARISON, View
from vidrestore.restoration.temporal.stabilise import (
    REACH,
    compare,
    skip_comparison,
    stabilise_input,
    stabilise_output,
)
from vidrestore.runtime.windows import windowed

SOFT = FaceQuality(size=60, sharpness=0.3, noise=2.0, yaw=0.1)


def crops(images: list[torch.Tensor]) -> list[PlannedFace[None]]:
    """One track, a face per frame."""
    return [
        PlannedFace(
            track=1,
            source=None,
            image=image,
            view=View.from_image(image),
            quality=SOFT,
            w=0.5,
            strength=1.0,
        )
        for image in images
    ]


def restored_as(faces: list[ComparedFace[None]], images: list[torch.Tensor]) -> list[RestoredFace[None]]:
    """``faces`` with ``images`` as their results, under masks of ones."""
    return [
        RestoredFace(
            track=face.track,
            source=None,
            layers=torch.cat((image, torch.ones_like(image[:1]))),
            tint=torch.zeros(2, 112),
            comparison=face.comparison,
        )
        for face, image in zip(faces, images, strict=True)
    ]


def over_time(faces: list, step) -> list:
    items = ((i, [face]) for i, face in enumerate(faces))
    return [face for _, (face,) in windowed(items, step, key=lambda face: face.track, reach=REACH)]


def stabilised(images: list[torch.Tensor], restored: list[torch.Tensor]) -> list[RestoredFace[None]]:
    """``restored``, the results for ``images``, stabilised."""
    return over_time(restored_as(over_time(crops(images), compare), restored), stabilise_output)


def test_noise_averages_out_of_a_still_face():
    clean = [texture()] * 9
    found = over_time(over_time(crops(noisy(clean, 12)), compare), stabilise_input)
    before = (noisy(clean, 12)[4] - clean[4]).std()
    assert (found[4].image - clean[4]).std() < 0.5 * before
    assert found[4].comparison.noise > 4


@pytest.mark.parametrize("channel", [0, 2])
def test_noise_averages_out_in_light_of_one_colour(channel):
    """The other colours are black in the whole face, and tell nothing."""
    tint = torch.eye(3)[channel][:, None, None]
    clean = [texture()] * 9
    images = [image * tint for image in noisy(clean, 12)]
    found = over_time(over_time(crops(images), compare), stabilise_input)
    lit = [face.image[channel] - clean[0][channel] for face in found]
    assert lit[4].std() < 0.5 * (images[4] - clean[4])[channel].std()
    assert found[4].comparison.noise > 4


@pytest.mark.parametrize(
    "repeats",
    [(2, 2, 2, 2, 2, 2), (3, 3, 3, 3), (2, 1, 1, 1, 2, 1, 1, 1, 2)],
    ids=["12.5 to 25", "8 to 24", "24 to 30"],
)
def test_noise_averages_out_where_frames_are_repeated(repeats):
    """A repetition is no sample of the noise. Its crop may be placed a little differently."""
    pictures = noisy([texture()] * len(repeats), 12)
    images = [picture for picture, times in zip(pictures, repeats, strict=True) for _ in range(times)]
    images = [
        image + noise for image, noise in zip(images, noisy([0 * images[0]] * len(images), 0.3), strict=True)
    ]
    compared = over_time(crops(images), compare)
    found = over_time(compared, stabilise_input)
    for i in range(3, len(images) - 3):
        assert compared[i].comparison.noise > 4, i
        assert (found[i].image - texture()).std() < 0.65 * (images[i] - texture()).std(), i


def test_a_clean_input_is_hardly_blended():
    images = [texture()] * 7
    found = over_time(over_time(crops(noisy(images, 0.5)), compare), stabilise_input)
    torch.testing.assert_close(found[3].image, noisy(images, 0.5)[3], atol=0.003, rtol=0)


def test_the_result_flickers_less_where_the_input_is_still():
    images = [texture()] * 40
    restored = noisy([texture()] * 40, 10)
    found = stabilised(images, restored)
    before, after = (torch.stack(list(x)).std(dim=0).mean() for x in (restored, (p.restored for p in found)))
    assert after < 0.45 * before


def test_a_moving_face_is_blended_with_adjacent_frames_only():
    """A face that moves differs in far frames, so they get no weight even where they look alike."""
    images = [torch.roll(texture(), 2 * i, dims=2) for i in range(15)]
    restored = [torch.roll(texture(), 2 * i, dims=2) for i in range(15)]
    inner = (slice(None), slice(60, -60), slice(60, -60))
    lit = [image + 0.2 * (i in (1, 13)) for i, image in enumerate(restored)]
    found = stabilised(images, lit)
    torch.testing.assert_close(found[7].restored[inner], restored[7][inner], atol=0.01, rtol=0)


@pytest.mark.parametrize(("deviation", "offsets"), [(0.5, {-1, 1}), (20, {-3, -2, -1, 1, 2, 3})])
def test_flow_is_estimated_only_where_it_is_used(deviation, offsets):
    parts = over_time(crops(noisy([texture()] * 9, deviation)), compare)
    assert {o for o, motion in parts[4].comparison.motions.items() if motion.flow is not None} == offsets


def test_in_changing_light_flow_is_estimated_for_the_codes():
    clean = [texture()] * 7
    dim = [image * (0.8 if frame % 2 else 1.0) for frame, image in enumerate(noisy(clean, 0.5))]
    assert {-3, -2, -1, 1, 2, 3} <= set(over_time(crops(dim), compare)[3].comparison.motions)


def test_a_change_of_one_frame_is_not_smeared():
    """As in a blink, a patch of the face changes in one frame, in input and result alike."""
    still = texture()
    blink = still.clone()
    patch = (slice(None), slice(100, 140), slice(80, 150))
    blink[patch] = 0.15
    images = [still] * 4 + [blink] + [still] * 4
    found = stabilised(noisy(images, 2), noisy(images, 2))
    core = (slice(None), slice(108, 132), slice(90, 140))
    for i in range(9):
        assert (found[i].restored[core] - images[i][core]).abs().mean() < 0.02, i


def test_a_face_without_neighbours_is_unchanged():
    compared = over_time(over_time(crops([texture()]), compare), stabilise_input)
    [face] = over_time(restored_as(compared, [texture(1)]), stabilise_output)
    assert face.restored.equal(texture(1))
    assert compared[0].image.equal(texture())


def test_a_still_scene_is_recognised_although_its_alignment_drifts():
    """Crops of one picture at slightly different places, as smoothed landmarks give even in a still scene."""
    scene = texture(4, 2 * SIZE)
    shifts = np.round(12 * np.sin(np.arange(40) / 8)).astype(int)
    images = [scene[:, 100 : 100 + SIZE, 100 + s : 100 + s + SIZE] for s in shifts]
    restored = noisy(images, 10)
    parts = [
        replace(face, view=View.from_image(image, np.array([[1.0, 0, -100 - s], [0, 1, -100], [0, 0, 1]])))
        for face, image, s in zip(crops(images), images, shifts, strict=True)
    ]
    found = over_time(restored_as(over_time(parts, compare), restored), stabilise_output)
    inner = (slice(None), slice(40, -40), slice(40, -40))
    before, after = (
        torch.stack([(a - b)[inner] for a, b in zip(faces, images, strict=True)][8:-8]).square().mean().sqrt()
        for faces in (restored, [p.restored for p in found])
    )
    assert after < 0.5 * before


def test_a_result_keeps_only_what_later_steps_need():
    """Windows hold faces for dozens of frames: views and motions are freed once they have been used."""
    images = [texture()] * 9
    compared = over_time(crops(images), compare)
    assert not hasattr(compared[4], "view")
    assert set(compared[4].comparison.motions) == {-1, 1}
    [*_, face] = over_time(restored_as(compared, images), stabilise_output)
    assert face.comparison is NO_COMPARISON
    assert skip_comparison(crops(images)[0]).comparison is NO_COMPARISON


def in_light(images: list[torch.Tensor], gains: list[float]) -> list[torch.Tensor]:
    return [(image * gain).clamp(0, 1) for image, gain in zip(images, gains, strict=True)]


#: Light that changes from frame to frame.
LIGHTS = {
    "flicker of 4 %": [1 + 0.04 * float(np.sin(2.4 * i)) for i in range(40)],
    "flicker of 30 %": [0.7 + 0.3 * float(np.sin(2.4 * i)) for i in range(40)],
    "a flash in every tenth frame": [1.9 if i % 10 == 4 else 1.0 for i in range(40)],
    "a fade from black": [min(1.0, 0.04 * (i + 1)) for i in range(40)],
}


@pytest.mark.parametrize("gains", LIGHTS.values(), ids=LIGHTS)
def test_each_frame_keeps_its_light_while_noise_averages_out(gains):
    clean = in_light([0.6 * texture()] * 40, gains)
    images = noisy(clean, 8)
    compared = over_time(crops(images), compare)
    for i in (14, 19, 20, 23):
        # What is brought to a brighter light brings more noise.
        brightest = max(1.0, gains[i] / min(gains[i - 1], gains[i + 1]))
        assert compared[i].comparison.noise < 12 * brightest**2
    inputs = over_time(compared, stabilise_input)
    restored = noisy(clean, 10)
    results = over_time(restored_as(compared, restored), stabilise_output)
    for given, found in ((images, [f.image for f in inputs]), (restored, [f.restored for f in results])):
        for i in (14, 19, 20, 23):
            assert (found[i] - clean[i]).mean().abs() * 255 < 0.7
            assert (found[i] - clean[i]).std() < 0.75 * (given[i] - clean[i]).std()


def test_a_neighbour_brought_up_from_the_dark_counts_less():
    """Its noise is raised with it: the result is never noisier than the frame alone."""
    clean = [texture()] * 3
    images = noisy([0.25 * clean[0], clean[1], 0.25 * clean[2]], 6)
    [_, face, _] = over_time(over_time(crops(images), compare), stabilise_input)
    assert (face.image - clean[1]).std() <= 1.0 * (images[1] - clean[1]).std()


def test_a_change_of_light_does_not_change_masks():
    gains = LIGHTS["flicker of 30 %"]
    images = in_light([0.6 * texture()] * 40, gains)
    results = over_time(restored_as(over_time(crops(images), compare), images), stabilise_output)
    torch.testing.assert_close(results[20].mask, torch.ones(SIZE, SIZE))


def test_what_something_covers_does_not_enter_the_frames_around():
    images = noisy([texture()] * 9, 12)
    cover = np.zeros((256, 256), np.uint8)
    cover[64:192] = 1
    strange = images[5].clone()
    faces = [
        replace(face, cover=cover if i == 5 else None)
        for i, face in enumerate(over_time(crops(images), compare))
    ]
    plain = over_time(faces, stabilise_input)[4].image
    strange[:, SIZE * 5 // 16 : SIZE * 11 // 16] = 1.0
    faces[5] = replace(faces[5], image=strange)
    assert torch.equal(over_time(faces, stabilise_input)[4].image, plain)
    faces[5] = replace(faces[5], cover=None)
    assert not torch.equal(over_time(faces, stabilise_input)[4].image, plain)


def test_faces_of_another_size_are_not_blended():
    """As where a person changes the restorer in the middle of a track."""
    clean = [texture()] * 9
    noise = noisy(clean, 12)
    faces = over_time(crops(noise), compare)
    halves = [replace(f, image=f.image[:, ::2, ::2]) if i > 4 else f for i, f in enumerate(faces)]
    blended = over_time(halves, stabilise_input)
    assert [face.image.shape for face in blended] == [face.image.shape for face in halves]
    assert torch.equal(over_time(halves[:5], stabilise_input)[4].image, blended[4].image)
    results = over_time(restored_as(halves, [face.image for face in halves]), stabilise_output)
    assert [face.layers.shape[-1] for face in results] == [face.image.shape[-1] for face in halves]


def test_a_result_is_blended_where_a_mask_of_it_shows_it():
    """With the windows of the masks the same is shown as without, also where a mask moves."""
    images, restored = noisy([texture()] * 5, 12), noisy([texture(1)] * 5, 20)
    windows = [(slice(8 + i, 40 + i), slice(16, 48 - i)) for i in range(5)]
    compared = over_time(crops(images), compare)
    faces = []
    for face, window in zip(restored_as(compared, restored), windows, strict=True):
        face.layers[3] = 0
        face.layers[3, *window] = 1
        faces.append(replace(face, window=window))
    found = over_time(faces, stabilise_output)
    without = over_time([replace(face, window=None) for face in faces], stabilise_output)
    for a, b in zip(found, without, strict=True):
        shown = b.mask > 0
        assert torch.allclose(a.mask, b.mask, atol=1e-3)
        assert torch.allclose(a.restored[:, shown], b.restored[:, shown], atol=2e-3)
        assert a.window is not None
        shown[*a.window] = False
        assert not shown.any()


def test_results_of_another_restorer_or_weight_do_not_enter():
    """A person sets one for ten frames of a still face."""
    images = noisy([texture()] * 60, 12)
    compared = over_time(crops(images), compare)
    for change in ({"restorer": "another"}, {"w": 1.0}):
        values = [0.8 if 25 <= i < 35 else 0.2 for i in range(60)]
        faces = restored_as(compared, [torch.full_like(images[0], value) for value in values])
        faces = [
            replace(face, **change) if value == 0.8 else face
            for face, value in zip(faces, values, strict=True)
        ]
        found = over_time(faces, stabilise_output)
        for i in (10, 24, 25, 30, 34, 35, 50):
            assert found[i].restored.float().mean() == pytest.approx(values[i], abs=0.01)


def test_opacity_is_that_of_its_own_frame():
    images = noisy([texture()] * 40, 12)
    faces = restored_as(over_time(crops(images), compare), images)
    opacities = [min(1.0, (min(i, 39 - i) + 1) / 6) for i in range(40)]
    faces = [replace(face, opacity=value) for face, value in zip(faces, opacities, strict=True)]
    found = over_time(faces, stabilise_output)
    assert [face.opacity for face in found] == opacities
    assert min(float(face.mask.min()) for face in found) == pytest.approx(1, abs=1e-3)
