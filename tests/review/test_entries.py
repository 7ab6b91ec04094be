"""What follows from the notes of a face, alone and over time."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tests.support.notes import CONTENT, face, frames, left_alone, lit
from vidrestore.restoration.fidelity.rules import Gates
from vidrestore.restoration.guarded import Guards
from vidrestore.review.entries import frame_entries


def entries(*faces):
    return list(frame_entries(frames(*faces, start=10), Fraction(1, 25), Fraction(1, 5)))


def test_times_count_from_the_beginning_of_the_timeline():
    assert [(frame.index, frame.pts, frame.time) for frame in entries([], [])] == [
        (0, 10, 0.2),
        (1, 11, 0.24),
    ]


@pytest.mark.parametrize(
    ("values", "acted"),
    [
        ({}, {}),
        ({"fade": 0.5}, {"fade": 0.5}),
        ({"fit": 0.25}, {"landmarks": 0.75}),
        ({"gates": Gates(0.9, 1.0, 1.0)}, {"min-face": 0.1}),
        ({"gates": Gates(1.0, 0.4, 0.0)}, {"max-sharpness": 0.6, "max-yaw": 1.0}),
        ({"covered": 0.2}, {"cover": 0.2}),
        ({"worn": 0.7}, {"worn": 0.7}),
        ({"guards": Guards(0.8, 0.2, 0.0, 0.0, 0.0, 0.0)}, {"raised w": 0.3}),
        (
            {"guards": Guards(0.5, 0.2, 0.1, 0.2, 0.3, 0.4)},
            {"identity guard": 0.1, "left eye guard": 0.2, "right eye guard": 0.3, "mouth guard": 0.4},
        ),
    ],
)
def test_what_acted_is_named(values, acted):
    [[entry]] = [frame.faces for frame in entries([face(**values)])]
    assert entry.acted == acted
    assert entry.restored


def test_a_face_left_alone_says_why():
    [[entry]] = [frame.faces for frame in entries([left_alone(gates=Gates(0.0, 1.0, 1.0), worn=1.0)])]
    assert not entry.restored
    assert (entry.acted, entry.light, entry.flicker) == ({"min-face": 1.0}, None, None)


def test_light_is_broad_and_flicker_is_its_change():
    checks = np.indices((8, 8)).sum(axis=0) % 2 * 8.0 - 4  # an error of detail, not of light
    found = entries([face(light=lit(2))], [face(light=lit(2))], [face(light=lit(checks))], [], [face()])
    faces = [frame.faces[0] for frame in found if frame.faces]
    assert [entry.light for entry in faces] == [2, 2, 0, 0]
    assert [entry.flicker for entry in faces] == [None, 0, pytest.approx(np.hypot(2, 4), abs=0.01), None]


def test_what_noise_explains_is_neither():
    """Restoration removes noise, of which the mean over a few samples still has some."""
    speckled = lit(np.random.default_rng(0).normal(0, 3, (8, 8)))
    small, large = (
        entries([face(size=size, noise=8)], [face(size=size, noise=8, light=speckled)])[1].faces[0]
        for size in (40, 200)
    )
    assert small.flicker == 0
    assert small.light < 0.6
    assert large.flicker > 2


def test_tracks_are_kept_apart():
    found = entries([face(1), face(2, light=lit(3))], [face(2, light=lit(3)), face(1, guards=CONTENT)])
    assert [entry.flicker for entry in found[1].faces] == [0, 0]
