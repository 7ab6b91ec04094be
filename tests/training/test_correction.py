"""The correction of stage III begins with a trained one, and a share of what it learns is kept."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.support.small_training import LITES, WITH_CORRECTION, needs_weights
from vidrestore.errors import UsageError
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.correction import begin_correction, keep_share
from vidrestore.weights.store import load_state

pytestmark = needs_weights


def test_the_correction_begins_with_that_of_the_embedded_model() -> None:
    config = CodeFormerConfig.from_dict(WITH_CORRECTION | LITES)
    model = CodeFormer(config)
    begin_correction(model, "lite")
    state, _ = load_state("lite")
    assert model.correction is not None
    assert torch.equal(model.correction.last.weight, state["image_transform.last.weight"][:3].float())
    assert torch.equal(model.correction.mix.weight, state["image_transform.mix.weight"].float())
    # It does not see this generator's features yet.
    faces, features = torch.rand(1, 3, 128, 128), torch.randn(2, 1, 64, 16, 16)
    assert torch.equal(model.correction(faces, features[0]), model.correction(faces, features[1]))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [({}, "whose U-Net has other sizes"), ({"image_widths": []}, "one of the two networks has no U-Net")],
)
def test_a_correction_that_does_not_fit_is_refused(sizes: dict[str, Any], message: str) -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(WITH_CORRECTION | sizes))
    with pytest.raises(UsageError, match=message):
        begin_correction(model, "lite")


def test_a_share_of_what_the_correction_learns_is_kept() -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(WITH_CORRECTION | LITES))
    begin_correction(model, "lite")
    began = {name: x.clone() for name, x in model.state_dict().items()}
    learned = {name: x + 1 if x.is_floating_point() else x for name, x in began.items()}
    for share in (0.0, 0.25, 1.0):
        kept = keep_share(learned, "lite", share)
        assert kept.keys() == learned.keys()
        for name, x in kept.items():
            expected = began[name] + share if name.startswith("correction.") else learned[name]
            assert torch.allclose(x, expected, atol=1e-6), name
