"""Harm, counted: which parts of restored faces are farther from the truth than the input's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.support.textures import texture
from vidrestore.errors import InputError
from vidrestore.measure import harm
from vidrestore.measure.clips import ClipFace
from vidrestore.measure.harm import PARTS, HarmCount, PartRecord, count_clip_harm, count_harm, worst
from vidrestore.restoration.restorer import FaceRestorer, Observation, RestorerSpec

FACES = [(f"{seed}.png", (255 * texture(seed, 512)).to(torch.uint8)) for seed in range(3)]


PLAIN = FACES[0][1]


class MeanDifference:
    """A stub of PartMeter: the mean absolute difference of each part."""

    def __call__(self, images, clean):
        difference = (images.float() - clean.float()).abs().mean(dim=1)
        parts = [difference[:, rows, columns].mean(dim=(1, 2)) for rows, columns in PARTS.values()]
        return torch.stack(parts, dim=1).numpy()


class Identity(FaceRestorer):
    spec = RestorerSpec(name="i", input_size=512, precisions=("fp32",), licence="none", readable=(0.0, 0.01))

    def observe(self, faces):
        return [Observation(torch.zeros(1, 1, 1), torch.zeros(1, 1), face) for face in faces]

    def render(self, observations, w):
        return torch.stack([seen.rest for seen in observations])


def record(face: str, part: str, excess: float) -> PartRecord:
    pixels = np.zeros((80, 112, 3), np.uint8)
    return PartRecord(face, part, 0.2, 0.2 + excess, (pixels, pixels, pixels))


RECORDS = [
    record("a", "left eye", 0.3),
    record("a", "right eye", 0.2),
    record("a", "mouth", -0.1),
    record("b", "left eye", 0.04),
    record("b", "right eye", -0.1),
    record("b", "mouth", 0.1),
]


@pytest.mark.parametrize(
    ("tolerance", "harmed", "eyes", "mouth"),
    [(0.05, 1.0, 0.5, 0.5), (0.15, 0.5, 0.5, 0.0), (0.4, 0.0, 0.0, 0.0)],
)
def test_a_face_counts_once_and_only_beyond_the_tolerance(tolerance, harmed, eyes, mouth):
    figures = HarmCount(RECORDS, tolerance).figures()
    assert (figures["harmed"], figures["eyes"], figures["mouth"]) == (harmed, eyes, mouth)
    assert figures["restored"] - figures["input"] == pytest.approx(np.mean([r.excess for r in RECORDS]))


def test_the_worst_come_first_and_once():
    counts = {"mild": {0.0: HarmCount(RECORDS, 0.1), 1.0: HarmCount(RECORDS[::-1], 0.1)}}
    labels = [label for label, _ in worst(counts, 3)]
    assert [label.split(" w=")[0] for label in labels] == ["mild"] * 3
    assert [label.endswith(name) for label, name in zip(labels, "aab", strict=True)] == [True] * 3
    assert "left eye" in labels[0]
    assert all(image.shape == (224, 224, 3) for _, images in worst(counts, 1) for image in images)


def test_a_restorer_that_changes_nothing_harms_nobody():
    [by_weight] = count_harm(FACES, Identity(), [0.0, 1.0], ["mild"], MeanDifference()).values()
    assert set(by_weight) == {0.0, 1.0}
    for count in by_weight.values():
        assert len(count.records) == 9
        assert 0 < count.tolerance < 2
        assert count.share() == 0


def test_parts_that_are_replaced_are_harmed(monkeypatch):
    monkeypatch.setattr(
        harm, "restore_within_limits", lambda restorer, faces, weights: dict.fromkeys(weights, 255 - faces)
    )
    [by_weight] = count_harm(FACES, Identity(), [0.5], ["mild"], MeanDifference()).values()
    assert by_weight[0.5].share() == 1


def test_clips_are_compared_face_by_face():
    faces = [
        ClipFace(number, 1, clean, torch.stack([(0.9 * clean).to(torch.uint8), restored]))
        for number, (clean, restored) in enumerate(
            ((FACES[0][1], FACES[0][1]), (FACES[1][1], 255 - FACES[1][1]))
        )
    ]
    count = count_clip_harm(faces, MeanDifference())
    assert count.share() == 0.5
    assert {r.face for r in count.records if r.excess > count.tolerance} == {"frame 1, track 1"}
    with pytest.raises(InputError, match="no face"):
        count_clip_harm([], MeanDifference())


def test_the_meter_sees_only_its_parts():
    pytest.importorskip("stlpips_pytorch")
    meter = harm.PartMeter("alex")
    clean = FACES[0][1][None]
    changed = clean.clone()
    rows, columns = PARTS["mouth"]
    changed[..., rows, columns] = 255 - changed[..., rows, columns]
    found = meter(changed, clean)
    assert found.shape == (1, 3)
    assert found[0, 2] > 0.1
    assert found[0, :2].max() == 0


def test_the_meter_takes_the_mean_of_both_ways_up():
    pytest.importorskip("stlpips_pytorch")
    meter = harm.PartMeter("alex")
    clean, other = FACES[0][1][None], FACES[1][1][None]
    found = meter(other, clean)
    for index, (rows, columns) in enumerate(PARTS.values()):
        mirrored = [x.clone() for x in (other, clean)]
        for x in mirrored:
            x[..., rows, columns] = x[..., rows, columns].flip(-2)
        # A part that stays the same upside down does not exist here, so one way up would show the difference.
        assert meter(*mirrored)[0, index] == pytest.approx(found[0, index], rel=1e-5)
