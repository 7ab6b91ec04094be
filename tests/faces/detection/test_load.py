"""Detectors are chosen and loaded by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vidrestore.errors import WeightsError
from vidrestore.faces.detection import load
from vidrestore.faces.detection.load import load_detector, resolve_detector


@pytest.mark.parametrize(
    ("present", "expected"),
    [(Path("detector.pth"), "retinaface_resnet50"), (None, "retinaface_mobile0.25")],
    ids=["weights on this machine", "without them"],
)
def test_auto_is_resnet50_if_its_weights_are_present(present, expected, monkeypatch):
    monkeypatch.setattr(load, "locate", lambda name: present)
    assert resolve_detector("auto").name == expected


def test_a_named_detector_is_fetched(monkeypatch):
    fetched = []
    monkeypatch.setattr(load, "fetch", lambda name, *, offline: fetched.append((name, offline)))
    assert resolve_detector("retinaface_resnet50", offline=True).name == "retinaface_resnet50"
    assert fetched == [("retinaface_resnet50", True)]


def test_the_embedded_detector_finds_a_face(astronaut):
    [[face]] = load_detector("retinaface_mobile0.25", "cpu")(astronaut[None])
    x0, y0, x1, y1 = face.box
    assert 150 < x0 < 200  # left of the eyes and of the mouth, which are at 204 to 248
    assert 250 < x1 < 300
    assert 30 < y0 < 95
    assert 145 < y1 < 220


def test_a_file_with_other_weights_is_named(monkeypatch):
    monkeypatch.setattr(load, "load_state", lambda name: ({"conv.weight": torch.zeros(1)}, {}))
    monkeypatch.setattr(load, "locate", lambda name: Path("detector.pth"))
    with pytest.raises(
        WeightsError, match=r"detector\.pth does not hold the weights of retinaface_mobile0\.25"
    ):
        load_detector("retinaface_mobile0.25", "cpu")


def test_the_global_random_generator_is_left_alone():
    before = torch.random.get_rng_state()
    load_detector("retinaface_mobile0.25", torch.device("cpu"))
    assert torch.equal(torch.random.get_rng_state(), before)
