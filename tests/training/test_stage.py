"""The interface of stages: the default views."""

from __future__ import annotations

import torch

from tests.support.small_training import CONFIG
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.stage import Stage


def test_views_show_the_input_the_results_and_the_clean_face() -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"])).eval()
    clean, degraded = torch.rand(2, 1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        views = Stage(model, {}).views(model, clean, degraded)
        assert torch.equal(views["w = 0.5"], model(degraded, 0.5))
    assert list(views) == ["input", "w = 0", "w = 0.5", "w = 1", "clean"]
    assert views["input"] is degraded
    assert views["clean"] is clean
