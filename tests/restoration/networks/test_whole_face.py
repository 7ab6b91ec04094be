"""Restorers that make a whole face at once: their w, their batches."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import Tensor

from vidrestore.restoration.networks.whole_face import WholeFaceRestorer, towards_input
from vidrestore.restoration.planes import shrink
from vidrestore.restoration.restorer import RestorerSpec

SIDE = 256


class Negative(WholeFaceRestorer):
    """Inverts faces; counts how often."""

    def __init__(self, *, has_weight: bool = False) -> None:
        spec = RestorerSpec(
            name="negative",
            input_size=SIDE,
            precisions=("fp32",),
            licence="",
            readable=(0.1, 0.2),
            has_codes=False,
            has_weight=has_weight,
        )
        self.calls = 0
        super().__init__(spec, torch.device("cpu"), batched=True)

    def _step(self, images: Tensor, w: Tensor) -> list[Tensor]:
        assert len(images) == len(w) == 1  # on a CPU each face is run by itself
        self.calls += 1
        return [1 - images if not self.spec.has_weight else images * w]


@pytest.fixture
def faces() -> Tensor:
    return torch.rand(3, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 0.5


def test_w_blends_broad_shapes_towards_the_input_and_keeps_what_is_fine(faces):
    restored = 1 - faces
    nothing, half, all_of_it = (towards_input(restored, faces, torch.full((3,), w)) for w in (0.0, 0.5, 1.0))
    assert torch.equal(nothing, restored)
    broad = [shrink(x, 64) for x in (restored, half, all_of_it, faces)]
    from_input = [float((x - broad[3]).abs().mean()) for x in broad[:3]]
    assert from_input[0] > 1.7 * from_input[1] > 3 * from_input[2]
    detail = [x - torch.nn.functional.avg_pool2d(x, 9, 1, 4) for x in (restored, half)]
    kept = [x[..., 8:-8, 8:-8].flatten() for x in detail]
    assert torch.corrcoef(torch.stack(kept))[0, 1] > 0.98


def test_a_network_without_a_weight_runs_once_for_each_face_whatever_w_is(faces):
    restorer = Negative()
    observed = restorer.observe(faces)
    assert not any(observation.has_codes for observation in observed)
    rendered = [restorer.render(observed, torch.full((3,), w)) for w in (0.0, 1.0)]
    assert torch.equal(rendered[0], 1 - faces)
    assert not torch.equal(rendered[0], rendered[1])
    assert restorer.calls == 3


def test_a_network_with_a_weight_is_given_that_of_each_face(faces):
    restored = Negative(has_weight=True)(faces, torch.tensor([0.0, 0.5, 1.0]))
    assert torch.equal(restored, faces * torch.tensor([0.0, 0.5, 1.0])[:, None, None, None])


def test_faces_are_the_same_in_any_batch_and_the_input_is_not_changed(faces):
    before, w = faces.clone(), torch.tensor([0.2, 0.5, 0.9])
    together = Negative()(faces, w)
    alone = torch.cat([Negative()(face, own) for face, own in zip(faces.split(1), w.split(1), strict=True)])
    assert torch.equal(together, alone)
    assert torch.equal(faces, before)


def test_that_there_is_no_weight_is_said_once(caplog, faces):
    with caplog.at_level(logging.INFO):
        restorer = Negative()
        for _ in range(3):
            restorer(faces, torch.zeros(3))
        Negative(has_weight=True)
    [record] = caplog.records
    assert "negative has no fidelity weight" in record.message
