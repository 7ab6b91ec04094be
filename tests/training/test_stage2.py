"""Stage II: it trains the encoder and the transformer only."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.small_training import CONFIG, changed
from vidrestore.measure.face_set import FaceSet
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.checkpoint import load_averaged
from vidrestore.training.data import Pairs, to_network
from vidrestore.training.stage2 import Teacher, code_loss
from vidrestore.training.trainer import Trainer


def test_the_codebook_and_the_generator_are_frozen(run: Path) -> None:
    before, after = (load_averaged(run / f"{stage}.pt") for stage in ("stage1", "stage2"))
    same = {name.split(".")[0] for name in before if torch.equal(before[name], after[name])}
    assert {"quantize", "generator"} <= same
    assert not torch.equal(before["position_emb"], after["position_emb"])


def test_the_teacher_is_a_frozen_copy() -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"]))
    teacher = Teacher(model)
    faces = torch.rand(2, 3, 64, 64) * 2 - 1
    before = teacher.codes(model, faces)
    assert before.shape == (2, model.config.code_grid**2)
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.add_(torch.randn_like(parameter))
    assert torch.equal(teacher.codes(model, faces), before)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_the_code_loss_of_a_perfect_prediction_is_zero() -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"]))
    grid, size = model.config.code_grid, model.config.codebook_size
    codes = torch.randint(size, (2, grid**2), generator=torch.manual_seed(0))
    logits = 100.0 * torch.nn.functional.one_hot(codes, size)
    features = model.quantize(codes, grid).detach()
    loss, figures = code_loss(model, features, logits, codes, 0.5)
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert float(figures["accuracy"]) == 1
    worse, figures = code_loss(model, features + 2, logits.roll(1, dims=-1), codes, 0.5)
    assert worse.item() == pytest.approx(100 + 0.5 * 4, rel=1e-3)
    assert float(figures["accuracy"]) == 0


@pytest.mark.parametrize("task", ["colour", "inpaint"])
def test_codes_of_faces_that_lack_something_are_learned(
    faces: FaceSet, run: Path, tmp_path: Path, task: str
) -> None:
    (tmp_path / "stage1.pt").hardlink_to(run / "stage1.pt")
    config = changed(task=task, stage2={"steps": 50})
    trainer = Trainer(config, "stage2", faces=faces, run=tmp_path)
    pairs = Pairs(faces, seed=7, length=12, form=task)
    clean, lacking = (to_network(torch.stack(x)) for x in zip(*(pairs[i] for i in range(12)), strict=True))
    codes = Teacher(trainer.model).codes(trainer.model, clean)

    def right() -> float:
        with torch.no_grad():
            logits = trainer.model.predict(trainer.model.encode(lacking).features)
        return float((logits.argmax(dim=-1) == codes).float().mean())

    before = right()
    trainer.train()
    assert right() > 2 * before
