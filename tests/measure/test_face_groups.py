"""Groups of faces by set, pose and skin tone, and their tables."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.support.clips import decode
from vidrestore.faces.alignment.align import TEMPLATE
from vidrestore.faces.detection.load import load_detector
from vidrestore.measure.face_evaluation import FaceEvaluation
from vidrestore.measure.face_groups import (
    group_faces,
    group_tables,
    group_text,
    pose,
    tone,
    typology_angle,
)

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "portrait.mp4"


@pytest.mark.parametrize(
    ("lab", "expected"),
    # The angle of (L*, b*) by hand: arctan(20 / 20), arctan(10 / 20), arctan(-10 / 20).
    [((70, 10, 20), 45.0), ((60, 10, 20), 26.565), ((40, 10, 20), -26.565), ((70, 5, -3), 90.0)],
)
def test_the_typology_angle(lab: tuple[float, float, float], expected: float) -> None:
    face = np.broadcast_to(np.array(lab, np.float32), (512, 512, 3)).copy()
    image = np.rint(cv2.cvtColor(face, cv2.COLOR_Lab2RGB) * 255).astype(np.uint8)
    image[:, 250:262] = 0  # a shadow beside the cheeks
    assert typology_angle(image, TEMPLATE) == pytest.approx(expected, abs=0.7)


@pytest.mark.parametrize(
    ("angle", "group"), [(50.0, "light"), (41.0, "middle"), (10.0, "dark"), (-60.0, "dark")]
)
def test_tones(angle: float, group: str) -> None:
    assert tone(angle) == group


@pytest.mark.parametrize(("moved", "group"), [(0.0, "frontal"), (30.0, "turned"), (90.0, "far turned")])
def test_poses(moved: float, group: str) -> None:
    landmarks = TEMPLATE.copy()
    landmarks[2, 0] = landmarks[:2, 0].mean() + moved
    assert pose(landmarks) == group


def test_each_face_is_in_a_group_of_each_kind() -> None:
    detector = load_detector("retinaface_mobile0.25", torch.device("cpu"))
    frame = decode(SAMPLE)[0].to_ndarray(format="rgb24")
    face = torch.from_numpy(frame).permute(2, 0, 1)
    blank = torch.zeros_like(face)
    found = group_faces([("old/a.png", face), ("new/b.png", face), ("new/c.png", blank)], detector)
    assert (found["set old"], found["set new"]) == ([0], [1, 2])
    # The blank one has neither, and no group is empty.
    for kind in ("pose", "skin"):
        assert [numbers for name, numbers in found.items() if name.startswith(kind)] == [[0, 1]]


def test_tables_have_the_means_of_each_group() -> None:
    figures = {"psnr": [30.0, 32.0, 40.0], "vgg": [0.1, 0.2, 0.4], "identity": [0.3, 0.5, 0.9]}
    better = {name: [value + 1 for value in values] for name, values in figures.items()}
    found = FaceEvaluation({}, {"mild": {"input": figures, "my w=0.5": better}}, {})
    rows = group_tables(found, {"set a": [0, 1], "set b": [2]}, "my", [0.5])["mild"]
    assert rows[0] == {
        "group": "set a",
        "faces": 2,
        "input,psnr": 31.0,
        "input,vgg": pytest.approx(0.15),
        "input,identity": pytest.approx(0.4),
        "w=0.5,psnr": 32.0,
        "w=0.5,vgg": pytest.approx(1.15),
        "w=0.5,identity": pytest.approx(1.4),
    }
    assert (rows[1]["faces"], rows[1]["w=0.5,psnr"]) == (1, 41.0)
    lines = group_text(rows).splitlines()
    assert lines[0].split()[:3] == ["group", "faces", "input,psnr"]
    assert lines[1].split()[:5] == ["set", "a", "2", "31.00", "0.150"]
