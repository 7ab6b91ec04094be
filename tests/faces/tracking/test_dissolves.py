"""A track ends when another person has taken the place of its own, and only then."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from tests.support.moving import detection
from tests.support.scenes import scene
from vidrestore.faces.tracking.live_source import LiveSource

LENGTH = 120


@cache
def person(name: str, x: int = 320) -> np.ndarray:
    return scene((name, x, 200, 150)).astype(np.float32)


@cache
def elsewhere() -> np.ndarray:
    """Another person in front of something else."""
    return np.ascontiguousarray(scene(("hopper", 320, 200, 150))[:, ::-1]).astype(np.float32)


def share(t: float, length: int) -> float:
    """Of the second picture in a dissolve that begins at frame 40."""
    return float(np.clip((t - 40) / length, 0, 1))


def dissolve(length: int) -> Callable[[float], np.ndarray]:
    return lambda t: (1 - share(t, length)) * person("collins") + share(t, length) * elsewhere()


def tracks_of(
    draw: Callable[[int], np.ndarray], strengths: dict[int, float] | None = None, *, rate: int = 25
) -> dict[int, list[int]]:
    """The frames of each track of a face that is detected in the same place throughout. ``strengths`` gets
    the strength of the face in each frame."""
    strengths = {} if strengths is None else strengths

    def images():
        for t in range(LENGTH * rate // 25):
            yield t, draw(t).clip(0, 255).round().astype(np.uint8)

    source = LiveSource(
        lambda images: [[detection(320, 200, 150)] for _ in images],
        looks=lambda images: [[] for _ in images],
        rate=Fraction(rate),
    )
    found: dict[int, list[int]] = {}
    for t, faces in source.stream(images()):
        for face in faces:
            found.setdefault(face.track, []).append(t)
            strengths[t] = face.strength
    return found


def between_bars(draw: Callable[[int], np.ndarray]) -> Callable[[int], np.ndarray]:
    """Only a part around the face, in portrait format, is not black."""

    def drawn(t: int) -> np.ndarray:
        image = np.zeros_like(draw(t))
        image[:, 220:420] = draw(t)[:, 220:420]
        return image

    return drawn


@pytest.mark.parametrize("length", [8, 20, 50])
def test_two_people_between_bars_are_two_tracks(length):
    assert list(tracks_of(between_bars(dissolve(length)))) == [1, 2]


@pytest.mark.parametrize("length", [8, 20, 50])
def test_two_people_in_a_dissolve_are_two_tracks(length):
    strengths: dict[int, float] = {}
    found = tracks_of(dissolve(length), strengths)
    assert list(found) == [1, 2]
    # A face is there throughout: none of them fades where they change.
    assert list(strengths) == list(range(LENGTH))
    assert set(strengths.values()) == {1.0}
    assert 40 + length / 2 < found[1][-1] < 40 + length + 24


@pytest.mark.parametrize("rate", [12, 60])
@pytest.mark.parametrize("seconds", [0.4, 2])
def test_a_dissolve_of_another_frame_rate_is_one(rate, seconds):
    assert list(tracks_of(lambda t: dissolve(int(25 * seconds))(t * 25 / rate), rate=rate)) == [1, 2]


def lamp(t: int) -> np.ndarray:
    """A lamp on the left goes out while one of another colour on the right goes on."""
    left = np.linspace(1.6, 0.4, 640)[None, :, None] * np.array([0.7, 0.9, 1.2])
    right = np.linspace(0.4, 1.6, 640)[None, :, None] * np.array([1.2, 1.0, 0.7])
    return (1 - share(t, 20)) * left + share(t, 20) * right


ONE_PERSON = {
    "still": lambda t: person("collins"),
    "flicker": lambda t: person("collins") * (1 + 0.3 * np.sin(2.4 * t)),
    "flashes": lambda t: person("collins") * (1.9 if t % 10 in (4, 5) else 1.0),
    "lamps": lambda t: person("collins") * lamp(t),
    "to black and back": lambda t: person("collins") * np.clip(abs(t - 60) / 20, 0.05, 1),
    "dissolve to the same person": lambda t: (
        (1 - share(t, 20)) * person("collins") + share(t, 20) * person("collins", 323)
    ),
    # The face changes, and what is around it does not: someone turns the head, or is made up.
    "another face in the same surroundings": lambda t: (
        (1 - share(t, 20)) * person("collins") + share(t, 20) * person("hopper")
    ),
}


@pytest.mark.parametrize("label", ONE_PERSON)
def test_one_person_is_one_track(label):
    assert list(tracks_of(ONE_PERSON[label])) == [1]


def test_one_person_at_another_frame_rate_is_one_track():
    assert list(tracks_of(lambda t: ONE_PERSON["lamps"](t * 25 / 60), rate=60)) == [1]


def test_one_person_between_bars_is_one_track():
    assert list(tracks_of(between_bars(ONE_PERSON["lamps"]))) == [1]
