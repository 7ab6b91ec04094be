"""The interface of a restorer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from vidrestore.restoration.restorer import FaceRestorer, Observation, RestorerSpec


class Scale(FaceRestorer):
    """A restorer whose result is its input times ``w``."""

    spec = RestorerSpec(name="scale", input_size=8, precisions=("fp32",), licence="none", readable=(0.1, 0.2))

    def observe(self, faces: Tensor) -> list[Observation]:
        return [Observation(torch.zeros(1, 1, 1), torch.zeros(1, 1), face) for face in faces]

    def render(self, observations: Sequence[Observation], w: Tensor) -> Tensor:
        return torch.stack([observation.rest for observation in observations]) * w.view(-1, 1, 1, 1)


def test_a_call_is_both_steps():
    faces = torch.rand(3, 3, 8, 8)
    expected = torch.stack([faces[0] * 0, faces[1] * 0.5, faces[2]])
    assert torch.equal(Scale()(faces, torch.tensor([0.0, 0.5, 1.0])), expected)


def test_both_steps_must_be_implemented():
    with pytest.raises(TypeError, match="abstract"):
        FaceRestorer()
