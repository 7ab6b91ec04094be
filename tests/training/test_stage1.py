"""Stage I: the codebook is used, and the views show a reconstruction."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.support.small_training import CONFIG, column, needs_weights
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.settings import complete
from vidrestore.training.stage1 import Stage1, quantise

pytestmark = needs_weights


def test_the_codebook_stays_in_use(run: Path) -> None:
    codes = column(run / "stage1.csv", "codes")
    assert codes[-1] > 0.4 * CONFIG["model"]["codebook_size"]


def test_quantised_features_are_codes() -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"]))
    features = torch.randn(2, 16, 8, 8, generator=torch.manual_seed(0))
    quantised = quantise(model, features)
    assert quantised.shape == features.shape
    codes = model.quantize.embedding.weight
    rows = quantised.flatten(2).transpose(1, 2).flatten(0, 1)
    assert (rows[:, None] == codes).all(dim=2).any(dim=1).all()
    assert not quantised.requires_grad


def test_views_show_the_clean_face_and_its_reconstructions() -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"])).eval()
    stage = Stage1(model, complete(CONFIG)["stage1"])
    clean = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        views = stage.views(model, clean, clean)
    assert list(views) == ["clean", "without codes", "through codes"]
    assert views["clean"] is clean
    shown = views["without codes"], views["through codes"]
    assert all(image.shape == clean.shape for image in shown)
    assert not torch.equal(*shown)
