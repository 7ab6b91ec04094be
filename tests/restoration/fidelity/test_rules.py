"""``w`` and gates: their direction and slope along each measure, and the description of a face."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.support.portraits import aligned_portraits
from vidrestore.degradation.degrade import LEVELS, degrade
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.restoration.fidelity.face_quality import FaceQuality, measure_quality
from vidrestore.restoration.fidelity.rules import (
    HIGHEST_W,
    LOWEST_W,
    MAX_YAW,
    Limits,
    beyond_codes,
    choose_w,
    describe,
    doubt,
    gate,
    gates,
    wear,
)

LIMITS = Limits(min_size=20, max_sharpness=0.95, max_yaw=MAX_YAW)
GOOD = FaceQuality(size=300, sharpness=0.55, noise=1.0, yaw=0.0)
#: Dense samples of the range of each measure; sizes are spaced by ratio.
RANGES = {
    "size": np.geomspace(4, 1200, 400),
    "sharpness": np.linspace(0, 1, 400),
    "noise": np.linspace(0, 30, 800),
    "yaw": np.linspace(0, 1, 400),
}
#: Faces of every kind.
KINDS = [
    FaceQuality(size=size, sharpness=sharpness, noise=noise, yaw=yaw)
    for size, sharpness, noise, yaw in itertools.product(
        (10, 25, 60, 150, 600), (0, 0.2, 0.5, 0.8, 1), (0, 2.5, 4, 20), (0, 0.3, 0.6, 0.9)
    )
]


def along(kind: FaceQuality, measure_: str, function) -> np.ndarray:
    return np.array([function(replace(kind, **{measure_: float(v)})) for v in RANGES[measure_]])


@pytest.mark.parametrize(("name", "sign"), [("size", 1), ("sharpness", 1), ("noise", -1), ("yaw", 1)])
def test_w_is_monotonic(name, sign):
    for kind in KINDS[::3]:
        values = along(kind, name, choose_w)
        assert (sign * np.diff(values) >= -1e-12).all(), kind
        assert values.min() >= LOWEST_W - 1e-12
        assert values.max() <= HIGHEST_W + 1e-12
    values = along(replace(GOOD, noise=3.0, size=100.0), name, choose_w)
    assert abs(values[-1] - values[0]) > 0.04


def gated(quality: FaceQuality) -> float:
    return gate(quality, LIMITS)


@pytest.mark.parametrize("function", [choose_w, gated])
@pytest.mark.parametrize("name", RANGES)
def test_slopes_are_bounded(function, name):
    """Along every measure, ``w`` and gates change at most as fast as the rules' easing."""
    slopes = {"size": 0.065, "sharpness": 0.05, "noise": 0.05, "yaw": 0.02}
    for kind in KINDS[::3]:
        assert np.abs(np.diff(along(kind, name, function))).max() < slopes[name], kind


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        pytest.param(replace(GOOD, sharpness=1.0), 0.9, 0.9 + 1e-9, id="clean"),
        pytest.param(replace(GOOD, sharpness=0.65), 0.45, 0.65, id="soft"),
        pytest.param(replace(GOOD, sharpness=0.3), 0.3, 0.35, id="blurred"),
        pytest.param(replace(GOOD, sharpness=0.15), 0.3, 0.3, id="badly blurred"),
        pytest.param(replace(GOOD, size=41, sharpness=0.35), 0.3, 0.35, id="small"),
        pytest.param(replace(GOOD, noise=8.0), 0.3, 0.5, id="noisy"),
        pytest.param(replace(GOOD, sharpness=0.3, yaw=0.7), 0.55, 0.7, id="turned"),
    ],
)
def test_w_of_typical_faces(kind, low, high):
    assert low <= choose_w(kind) <= high


def test_worse_faces_get_smaller_w():
    faces = [torch.from_numpy(p.transpose(2, 0, 1).copy()) for p in aligned_portraits().values()]
    for face in faces:
        pictures = [face, *(degrade(face, level, seed=2) for level in LEVELS.values())]
        qualities = measure_quality(torch.stack(pictures).float() / 255, [1.0] * 4, [TEMPLATE] * 4)
        ws = [choose_w(quality) for quality in qualities]
        assert ws == sorted(ws, reverse=True)
        assert ws[0] > 0.5
        assert ws[1] > ws[2] + 0.03
        assert ws[2] < 0.36
        assert [gated(quality) for quality in qualities[1:]] == pytest.approx([1, 1, 1], abs=0.05)


@pytest.mark.parametrize(
    ("kind", "low", "high"),
    [
        pytest.param(GOOD, 1, 1, id="a face to restore"),
        pytest.param(replace(GOOD, sharpness=0.0), 1, 1, id="all blurred"),
        pytest.param(replace(GOOD, sharpness=0.98), 0, 0, id="sharp"),
        pytest.param(replace(GOOD, sharpness=0.78), 0.3, 0.7, id="nearly sharp"),
        pytest.param(replace(GOOD, sharpness=0.98, noise=5.0), 1, 1, id="sharp and noisy"),
        pytest.param(replace(GOOD, size=85, sharpness=0.6), 0, 0.05, id="sharp for its size"),
        pytest.param(replace(GOOD, size=85, sharpness=0.35), 0.9, 1, id="blurred for its size"),
        pytest.param(replace(GOOD, size=18, sharpness=0.05), 0, 0, id="tiny"),
        pytest.param(replace(GOOD, size=25, sharpness=0.05), 0.3, 0.7, id="nearly tiny"),
        pytest.param(replace(GOOD, size=31, sharpness=0.05), 1, 1, id="small"),
        pytest.param(replace(GOOD, yaw=0.5), 1, 1, id="turned"),
        pytest.param(replace(GOOD, yaw=0.68), 0.3, 0.7, id="strongly turned"),
        pytest.param(replace(GOOD, yaw=0.85), 0, 0, id="in profile"),
    ],
)
def test_gates(kind, low, high):
    assert low <= gated(kind) <= high


@pytest.mark.parametrize(
    ("name", "shut"),
    [
        ("min_size", replace(GOOD, size=10, sharpness=0.0)),
        ("max_sharpness", replace(GOOD, sharpness=1.0)),
        ("max_yaw", replace(GOOD, yaw=1.0)),
    ],
)
def test_each_gate_can_be_left_open(name, shut):
    assert gate(shut, LIMITS) == 0
    assert gate(shut, replace(LIMITS, **{name: 0})) == 1
    others = {key: 0 for key in ("min_size", "max_sharpness", "max_yaw") if key != name}
    assert gate(shut, replace(LIMITS, **others)) == 0
    assert getattr(gates(shut, LIMITS), name.partition("_")[2]) == 0


@pytest.mark.parametrize(
    ("limit", "inside", "outside"),
    [
        ({"min_size": 100}, replace(GOOD, size=160, sharpness=0.2), replace(GOOD, size=95, sharpness=0.2)),
        ({"max_sharpness": 0.5}, replace(GOOD, sharpness=0.1), replace(GOOD, sharpness=0.55)),
        ({"max_yaw": 0.3}, replace(GOOD, yaw=0.04), replace(GOOD, yaw=0.31)),
    ],
)
def test_a_gates_limit_can_be_moved(limit, inside, outside):
    moved = replace(LIMITS, **limit)
    assert (gate(inside, moved), gate(outside, moved)) == (1, 0)
    assert gate(outside, LIMITS) == 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (FaceQuality(size=41.3, sharpness=0.15, noise=1, yaw=0.1), "41 px, blurred"),
        (FaceQuality(size=41.3, sharpness=0.15, noise=6, yaw=0.5), "41 px, blurred, noisy, turned"),
        (FaceQuality(size=300, sharpness=0.65, noise=1, yaw=0.9), "300 px, soft, in profile"),
        (FaceQuality(size=900, sharpness=0.97, noise=1, yaw=0), "900 px, sharp"),
        (FaceQuality(size=60, sharpness=0.45, noise=0, yaw=0), "60 px, sharp"),
    ],
)
def test_descriptions(kind, text):
    assert describe(kind) == text
    assert describe(kind, covered=0.2) == f"{text}, partly covered"


def test_a_face_that_sharpens_slowly_is_eased():
    """As a portrait comes into focus, w rises and the gate closes, in small steps."""
    face = torch.from_numpy(aligned_portraits()["hopper"].transpose(2, 0, 1).copy()).float()[None] / 255
    # A quarter of the size, so that its grain goes and the face is sharp for its size.
    small = F.interpolate(face, scale_factor=0.25, mode="area")
    x = torch.arange(-6, 7)
    pictures = []
    for blur in np.linspace(0.8, 0.2, 21):
        kernel = torch.exp(-0.5 * (x / blur) ** 2)
        kernel = (kernel / kernel.sum()).view(1, 1, 1, -1).expand(3, 1, 1, -1)
        soft = F.conv2d(small, kernel, padding=(0, 6), groups=3)
        soft = F.conv2d(soft, kernel.mT, padding=(6, 0), groups=3)
        pictures.append(F.interpolate(soft, scale_factor=4, mode="bilinear"))
    qualities = measure_quality(torch.cat(pictures), [4.0] * 21, [TEMPLATE] * 21)
    ws, gates = ([function(quality) for quality in qualities] for function in (choose_w, gated))
    assert (np.diff(ws) > -0.01).all()
    assert (np.diff(gates) < 0.01).all()
    assert ws[-1] - ws[0] > 0.05
    assert gates[0] - gates[-1] > 0.5
    assert np.abs(np.diff(ws)).max() < 0.08
    assert np.abs(np.diff(gates)).max() < 0.3


def test_edges_of_a_model_are_trusted_in_faces_clearly_sharper_than_it_can_read():
    """A medium face is hardly readable to the embedded model, and clear to the published one."""
    medium, mild, sharp = (replace(GOOD, sharpness=value) for value in (0.31, 0.5, 0.7))
    assert [doubt(face, (0.215, 0.29)) for face in (medium, sharp)] == [1, 0]
    assert 0 < doubt(mild, (0.215, 0.29)) < 1
    assert doubt(medium, (0.04, 0.1)) == 0


def test_a_face_that_shows_more_than_codes_hold_is_beyond_them():
    faces = [replace(GOOD, sharpness=value) for value in (0.2, 0.35, 0.4, 0.45, 0.9)]
    found = [beyond_codes(face, (0.35, 0.45)) for face in faces]
    assert found == pytest.approx([0, 0, 0.5, 1, 1])
    assert beyond_codes(replace(GOOD, sharpness=1.0), None) == 0


def test_wear_falls_smoothly_over_the_range_that_a_model_declares():
    found = [wear(replace(GOOD, sharpness=s), (0.2, 0.3)) for s in np.linspace(0.1, 0.4, 61)]
    assert found[:21] == [1.0] * 21
    assert found[-20:] == [0.0] * 20
    assert all(0 <= a - b < 0.1 for a, b in itertools.pairwise(found))
