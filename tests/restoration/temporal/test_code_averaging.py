"""Averaged codes change when the face does, not with noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from vidrestore.restoration.fidelity.face_quality import FaceQuality
from vidrestore.restoration.restorer import Observation
from vidrestore.restoration.temporal.code_averaging import REACH, as_neighbour, average_codes
from vidrestore.restoration.temporal.face_crop import ObservedFace
from vidrestore.restoration.temporal.light import CELLS, Light
from vidrestore.restoration.temporal.motion import MAP, NO_COMPARISON, Comparison, Motion
from vidrestore.runtime.windows import windowed

GRID, CHANNELS, CODES = 4, 8, 16

SOFT = FaceQuality(size=60, sharpness=0.3, noise=2.0, yaw=0.1)


def track(changes_at: int | None = None, frames: int = 13) -> list[ObservedFace[None]]:
    """Faces in which noise decides between codes 0 and 1 everywhere. From frame ``changes_at`` on, features
    and codes of the upper half are different."""
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(CHANNELS, GRID, GRID, generator=generator)
    parts = []
    for frame in range(frames):
        features = base + 0.05 * torch.randn(base.shape, generator=generator)
        logits = torch.zeros(GRID * GRID, CODES)
        logits[:, 0] = 5.0 + 0.3
        logits[:, 1] = 5.0 + torch.randn(GRID * GRID, generator=generator)
        if changes_at is not None and frame >= changes_at:
            features[:, : GRID // 2] += 4
            logits[: GRID * GRID // 2, 7] = 9.0
        seen = Observation(features, logits.log_softmax(dim=-1), None)
        parts.append(
            ObservedFace(
                track=1,
                source=None,
                image=torch.zeros(3, 64, 64),
                quality=SOFT,
                w=0.5,
                strength=1.0,
                comparison=NO_COMPARISON,
                observation=seen,
            )
        )
    return parts


def flickering(
    parts: list[ObservedFace[None]], changes_at: int | None = None, flow: float = 0
) -> list[ObservedFace[None]]:
    """``parts`` in light that changes in every frame, which the features follow. In equal light the crops
    differ by noise; from frame ``changes_at`` on their upper half is different. All move by ``flow``."""
    generator = torch.Generator().manual_seed(1)
    light = Light(np.full((CELLS, CELLS, 3), 1.2, np.float32), np.zeros((CELLS, CELLS, 3), np.float32))
    lit = []
    for frame, part in enumerate(parts):
        motions = {}
        for offset in (-3, -2, -1, 1, 2, 3):
            error = np.full((MAP, MAP), 4.0, np.float16)
            if changes_at is not None and (frame >= changes_at) != (frame + offset >= changes_at):
                error[: MAP // 2] = 400
            motions[offset] = Motion(np.full((MAP, MAP, 2), flow, np.float16), error, 4.0, light)
        features = part.observation.features + 3 * torch.randn(CHANNELS, 1, 1, generator=generator)
        lit.append(
            replace(
                part,
                observation=part.observation._replace(features=features),
                comparison=Comparison(motions, 4.0, np.zeros((MAP, MAP), np.float32)),
            )
        )
    return lit


def codes(parts: list[ObservedFace[None]]) -> torch.Tensor:
    return torch.stack([part.observation.log_probs.argmax(-1) for part in parts])


def averaged(parts: list[ObservedFace[None]]) -> torch.Tensor:
    items = ((i, [part]) for i, part in enumerate(parts))
    done = windowed(items, average_codes, key=lambda face: face.track, reach=REACH, keep=as_neighbour)
    return codes([part for _, (part,) in done])


def switches(found: torch.Tensor) -> int:
    return int((found[1:] != found[:-1]).sum())


def test_noise_switches_fewer_codes():
    parts = track()
    assert switches(averaged(parts)) < 0.5 * switches(codes(parts))


@pytest.mark.parametrize("pattern", [(2,), (3,), (2, 1, 1, 1)])
def test_noise_switches_fewer_codes_where_frames_are_repeated(pattern):
    parts = [part for i, part in enumerate(track(frames=24)) for _ in range(pattern[i % len(pattern)])]
    assert switches(averaged(parts)) < 0.7 * switches(codes(parts))


def test_a_face_that_changes_changes_its_codes_at_once():
    found = averaged(track(changes_at=6))
    upper = found[:, : GRID * GRID // 2]
    assert (upper[6:] == 7).all()
    assert (upper[:6] != 7).all()


def test_light_switches_no_codes():
    """The face is the same in equal light, so that the codes of all frames count as in even light."""
    parts = track()
    assert switches(averaged(flickering(parts))) < 1.2 * switches(averaged(parts))


def test_a_face_that_changes_in_changing_light_changes_its_codes_at_once():
    found = averaged(flickering(track(changes_at=6), changes_at=6))
    upper = found[:, : GRID * GRID // 2]
    assert (upper[6:] == 7).all()
    assert (upper[:6] != 7).all()


def test_a_moving_place_in_other_light_keeps_its_codes():
    parts = track()
    assert averaged(flickering(parts, flow=3)).equal(codes(parts))


def test_a_lone_face_keeps_its_codes():
    parts = track(frames=1)
    assert averaged(parts).equal(codes(parts))


def test_a_neighbour_keeps_codes_and_features_alone():
    [face] = track(frames=1)
    rendered_from = face.observation._replace(rest=(face.image,))
    neighbour = as_neighbour(replace(face, observation=rendered_from))
    assert neighbour.observation == face.observation._replace(rest=None)
    assert not hasattr(neighbour, "image")


def test_codes_of_another_restorer_do_not_count():
    """Another codebook has other codes; what has no codes is left as it is."""
    parts = track(frames=5)
    other = [replace(face, restorer="another") for face in parts]
    around = [(offset, other[2 + offset]) for offset in (-2, -1, 1, 2)]
    assert average_codes(parts[2], around) is parts[2]
    mixed = average_codes(parts[2], [(-1, parts[1]), *around])
    alone = average_codes(parts[2], [(-1, parts[1])])
    assert torch.equal(mixed.observation.log_probs, alone.observation.log_probs)
    assert as_neighbour(other[0]).restorer == "another"
    without = replace(parts[2], observation=Observation.without_codes("anything"))
    assert average_codes(without, [(1, without)]) is without
