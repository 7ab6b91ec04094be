"""Networks recognised by their tensors."""

from __future__ import annotations

import pytest
import torch

from tests.support import upscalers
from vidrestore.errors import WeightsError
from vidrestore.weights.architecture import recognise


def test_a_network_is_built_in_float32_and_random_numbers_stay():
    state = {key: x.half() for key, x in upscalers.compact(3).state_dict().items()}
    torch.manual_seed(5)
    network = recognise(state, "x", wanted="another")
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(1))
    assert (network.scale, network.dtype) == (3, torch.float32)


def test_what_is_not_known_is_refused():
    with pytest.raises(
        WeightsError, match="x holds the weights of no network that is known here; give another"
    ):
        recognise({"a": torch.ones(1)}, "x", wanted="another")
    state = dict(upscalers.compact().state_dict())
    del state["body.0.bias"]
    with pytest.raises(
        WeightsError, match=r"looks like RealESRGAN Compact, but its tensors have other .*; hint"
    ):
        recognise(state, "x", wanted="another", hints={"RealESRGAN Compact": "; hint"})
