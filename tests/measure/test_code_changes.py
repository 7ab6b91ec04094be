"""The share of codes that change from frame to frame."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vidrestore.measure.code_changes import CodeWatch
from vidrestore.restoration.restorer import FaceRestorer, Observation, RestorerSpec


class Restorer(FaceRestorer):
    """Each face, 1 pixel wide, is the code at all four positions of its grid but the last, which is 0."""

    spec = RestorerSpec(name="none", input_size=1, precisions=("fp32",), licence="", readable=(0.0, 1.0))

    def observe(self, faces: Tensor) -> list[Observation]:
        codes = faces[:, 0, 0, :1].long().expand(-1, 4).clone()
        codes[:, -1] = 0
        return [Observation(torch.zeros(1, 2, 2), torch.eye(5)[each].log(), None) for each in codes]

    def render(self, observations: list[Observation], w: Tensor) -> Tensor:
        return torch.stack([x.log_probs[:1].argmax(dim=-1)[None, None].expand(3, 1, 1) for x in observations])


def faces(*values: float) -> Tensor:
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, 1, 1)


def test_codes_that_change() -> None:
    watch = CodeWatch(Restorer())
    first, second = watch.observe(faces(1, 1)), watch.observe(faces(2, 3))
    assert watch.render(first, torch.zeros(2))[:, 0, 0, 0].tolist() == [1, 1]
    watch.render(first[1:], torch.ones(1))  # again
    watch.render(second, torch.zeros(2))
    # Three of four change between the second and the third frame, and between the third and the fourth.
    assert watch.figures(4) == {"codes": pytest.approx(100 * (0 + 0.75 + 0.75) / 3)}
    assert watch.spec.name == "none"


def test_without_one_face_in_each_frame_there_is_no_figure() -> None:
    watch = CodeWatch(Restorer())
    watch.render(watch.observe(faces(1, 2)), torch.zeros(2))
    assert watch.figures(3) == {}
    assert CodeWatch(Restorer()).figures(0) == {}


def test_faces_without_codes_have_no_figure() -> None:
    class Plain(Restorer):
        def render(self, observations: list[Observation], w: Tensor) -> Tensor:
            return faces(*[1.0] * len(observations))

    watch = CodeWatch(Plain())
    watch.render([Observation.without_codes(None)] * 2, torch.zeros(2))
    assert watch.figures(2) == {}
