"""The three stages, some steps each on a tiny network: they learn, and a resumed run is the same run."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.small_training import CONFIG, changed, judged
from vidrestore.errors import TrainingError, UsageError
from vidrestore.measure.face_set import FaceSet
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.data import to_network
from vidrestore.training.stage3 import watched
from vidrestore.training.trainer import Trainer, load_averaged, previous

#: With a few steps before and behind what begins in the middle of a stage.
SHORT = {
    "stage1": {"steps": 10, "warmup": 2, "adversarial_start": 3},
    "stage2": {"steps": 10},
    "stage3": {"steps": 10, "adversarial_start": 3},
}


def column(path: Path, name: str) -> list[float]:
    with path.open(newline="") as file:
        return [float(row[name]) for row in csv.DictReader(file) if row[name]]


@pytest.mark.parametrize(
    ("stage", "figure", "factor"),
    [
        ("stage1", "l1", 0.9),
        ("stage1", "perceptual", 0.7),
        ("stage1", "commitment", 0.8),
        ("stage2", "entropy", 0.8),
        ("stage2", "feature", 0.8),
        ("stage3", "entropy", 0.9),
        ("stage3", "feature", 0.9),
    ],
)
def test_every_loss_falls(run: Path, stage: str, figure: str, factor: float) -> None:
    figures = column(run / f"{stage}.csv", figure)
    assert len(figures) >= 2
    # The commitment begins at zero, and where the codes do, somewhere in the first lines.
    assert figures[-1] < factor * max(figures[:2])


def test_the_codebook_stays_in_use(run: Path) -> None:
    codes = column(run / "stage1.csv", "codes")
    assert codes[-1] > 0.4 * CONFIG["model"]["codebook_size"]


def test_stage2_leaves_codebook_and_generator(run: Path) -> None:
    before, after = (load_averaged(run / f"{stage}.pt") for stage in ("stage1", "stage2"))
    same = {name.split(".")[0] for name in before if torch.equal(before[name], after[name])}
    assert {"quantize", "generator"} <= same
    assert not torch.equal(before["position_emb"], after["position_emb"])


def test_stage3_restores_better_than_what_it_began_with(faces: FaceSet, run: Path) -> None:
    before, after = (judged(run / f"{stage}.pt", CONFIG, faces, 0.5) for stage in ("stage2", "stage3"))
    assert all(b < 0.97 * a for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(("scale", "moved"), [(0.0, False), (0.3, True)])
def test_stage3_may_leave_the_generator_alone(
    faces: FaceSet, run: Path, tmp_path: Path, scale: float, moved: bool
) -> None:
    (tmp_path / "stage2.pt").hardlink_to(run / "stage2.pt")
    config = changed(stage3={"steps": 3, "adversarial_start": 0, "generator_scale": scale})
    Trainer(config, "stage3", faces=faces, run=tmp_path).train()
    before, after = load_averaged(run / "stage2.pt"), load_averaged(tmp_path / "stage3.pt")
    assert moved != torch.equal(before["generator.blocks.0.weight"], after["generator.blocks.0.weight"])


@pytest.mark.parametrize(
    ("stage", "precision"), [("stage1", "fp32"), ("stage2", "fp32"), ("stage3", "fp32"), ("stage1", "bf16")]
)
def test_a_resumed_run_gives_the_same_numbers(
    faces: FaceSet, run: Path, tmp_path: Path, stage: str, precision: str
) -> None:
    config, losses, states = changed(precision=precision, **SHORT), [], []
    for name, stops in (("whole", [None]), ("stopped", [1, 5, None])):
        folder = tmp_path / name
        folder.mkdir()
        if stage != "stage1":
            before = f"{previous(stage)}.pt"
            (folder / before).hardlink_to(run / before)
        for until in stops:
            trainer = Trainer(config, stage, faces=faces, run=folder)
            last = trainer.train(until=until)
        assert trainer.step == 10
        losses.append(last)
        states.append(torch.load(folder / f"{stage}.pt", weights_only=True))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert states[0]["log"]["sums"] == states[1]["log"]["sums"]
    for part in ("model", "averaged", "stage"):
        torch.testing.assert_close(states[1][part], states[0][part], rtol=0, atol=1e-5)


def test_the_generators_features_stay_alive(faces: FaceSet, run: Path, tmp_path: Path) -> None:
    """The CFT is a product of features: left alone, those of the finest level grow by orders of magnitude
    a step, and the norm behind them makes noise or a flat picture of it."""
    config = changed(stage3={"steps": 40, "w_one": 0.4, "adversarial": 0.0})
    (tmp_path / "stage2.pt").hardlink_to(run / "stage2.pt")
    Trainer(config, "stage3", faces=faces, run=tmp_path).train()
    network = CodeFormer(CodeFormerConfig.from_dict(config["model"])).eval()
    network.load_state_dict(load_averaged(tmp_path / "stage3.pt"))
    finest = []  # before the norm, which would hide how large they are
    network.generator.blocks[-2].register_forward_hook(lambda norm, given, found: finest.append(given[0]))
    pictures = to_network(torch.stack([faces.face(i) for i in range(2)]))
    with torch.no_grad(), watched(network) as transformed:
        restored = network(pictures, 1.0)
    assert len(transformed) == 2
    assert all(behind.std() < 6 * before.std() for before, behind in transformed)
    assert finest[0].abs().max() < 1000
    assert finest[0].std(dim=(2, 3)).median() > 0.1
    assert torch.isfinite(restored).all()
    assert restored.std(dim=(2, 3)).min() > 0.05


def test_what_has_no_rate_stays(faces: FaceSet, run: Path, tmp_path: Path) -> None:
    (tmp_path / "stage2.pt").hardlink_to(run / "stage2.pt")
    config = changed(stage3={"steps": 6, "encoder_scale": 0.0, "generator_scale": 0.0})
    Trainer(config, "stage3", faces=faces, run=tmp_path).train()
    before, after = load_averaged(run / "stage2.pt"), load_averaged(tmp_path / "stage3.pt")
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"fuse_convs_dict"}


def test_a_run_that_is_lost_ends_and_saves_nothing(faces: FaceSet, tmp_path: Path) -> None:
    trainer = Trainer(CONFIG, "stage1", faces=faces, run=tmp_path)
    weight = trainer.parameters[0]
    trainer.stage.loss = lambda *_: (weight.sum() * float("nan"), {})
    with pytest.raises(TrainingError, match="stage1 has had no finite gradient for 20 steps"):
        trainer.train()
    assert trainer.step == 19
    assert not trainer.path.exists()


def test_a_wish_to_stop_ends_the_step_and_saves(faces: FaceSet, tmp_path: Path) -> None:
    wishes = iter([False, False, True])
    trainer = Trainer(CONFIG, "stage2", faces=faces, run=with_averaged(tmp_path, "stage1"))
    trainer.train(stop=lambda: next(wishes))
    assert (trainer.stopped, trainer.step) == (True, 3)
    again = Trainer(CONFIG, "stage2", faces=faces, run=tmp_path)
    assert again.step == 3
    again.train(until=5)
    assert (again.stopped, again.step) == (False, 5)
    assert math.isnan(again.train(until=5))


def with_averaged(folder: Path, stage: str) -> Path:
    """``folder``, with untrained weights as the averaged ones of a stage: all that the next one needs."""
    network = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"]))
    torch.save({"averaged": network.state_dict()}, folder / f"{stage}.pt")
    return folder


@pytest.mark.parametrize(
    ("change", "stage", "words"),
    [
        ({}, "stage2", "stage2 starts from .*stage1.pt, which is not there; train stage1 first"),
        ({"model": {"image_size": 128, "cft_sizes": [16]}}, "stage1", "64 pixels wide, .* image_size is 128"),
        ({"model": {"channels": 32}}, "stage3", "stage2.pt was trained with another configuration"),
    ],
    ids=["no stage before", "faces of another size", "weights of another network"],
)
def test_what_does_not_fit_is_named(
    faces: FaceSet, tmp_path: Path, change: dict[str, Any], stage: str, words: str
) -> None:
    with_averaged(tmp_path, "stage2")
    with pytest.raises(UsageError, match=words):
        Trainer(changed(**change), stage, faces=faces, run=tmp_path)
