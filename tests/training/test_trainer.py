"""The training loop on a tiny network: losses decrease, and a resumed run gives the same numbers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from tests.support.face_folders import write_face_folder
from tests.support.small_training import CONFIG, changed, column, needs_weights, with_untrained
from tests.support.stand_in import shapes
from vidrestore.errors import TrainingError, UsageError
from vidrestore.measure.face_set import FaceSet
from vidrestore.training.trainer import STAGES, Trainer, previous

PUBLISHED = Path(__file__).parents[2] / "configs" / "train" / "codeformer.yaml"

#: Short stages, with steps before and after everything that starts within a stage.
SHORT = {
    "stage1": {"steps": 10, "warmup": 2, "adversarial_start": 3},
    "stage2": {"steps": 10},
    "stage3": {"steps": 10, "adversarial_start": 3},
}


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
def test_every_loss_decreases(run: Path, stage: str, figure: str, factor: float) -> None:
    figures = column(run / f"{stage}.csv", figure)
    assert len(figures) >= 2
    # The commitment loss is 0 until quantisation starts, within the first lines.
    assert figures[-1] < factor * max(figures[:2])


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_a_checkpoint_of_a_network_that_computes_something_else_is_refused(
    faces: FaceSet, tmp_path: Path, stage: str
) -> None:
    """These two have the same weights, by name and shape."""
    Trainer(changed(stage1={"steps": 1}), "stage1", faces=faces, run=tmp_path).train()
    other = changed(model={"smooth_upsampling": True}, stage1={"steps": 1})
    with pytest.raises(UsageError, match=r"stage1\.pt was trained with another configuration"):
        Trainer(other, stage, faces=faces, run=tmp_path)


@pytest.mark.parametrize("weights", [(0.0, 0.3), (0.3, 0.0)], ids=["added", "taken out"])
def test_an_adversarial_loss_can_be_added_or_taken_out(
    faces: FaceSet, tmp_path: Path, weights: tuple[float, float]
) -> None:
    settings = {"steps": 3, "warmup": 0, "adversarial_start": 0}
    for steps, weight in zip((1, 3), weights, strict=True):
        trainer = Trainer(
            changed(stage1=settings | {"adversarial": weight}), "stage1", faces=faces, run=tmp_path
        )
        trainer.train(until=steps)
        assert trainer.step == steps
        assert bool(weight) == any("adversary" in name for name in trainer.stage.state_dict())


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


@pytest.mark.parametrize("has", [True, False])
def test_bf16_is_for_devices_that_have_it(
    faces: FaceSet, tmp_path: Path, has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidrestore.training.trainer.has_bf16", lambda device: has)
    assert Trainer(changed(precision="bf16"), "stage1", faces=faces, run=tmp_path).bf16 == has


def test_a_resumed_run_keeps_the_momentum_of_muon(faces: FaceSet, tmp_path: Path) -> None:
    config = changed(model={"channels": 64}, stage1={"steps": 6, "adversarial": 0.0, "optimiser": "muon"})
    weights = []
    for name, stops in (("whole", [None]), ("stopped", [3, None])):
        (tmp_path / name).mkdir()
        for until in stops:
            Trainer(config, "stage1", faces=faces, run=tmp_path / name).train(until=until)
        weights.append(torch.load(tmp_path / name / "stage1.pt", weights_only=True)["model"])
    torch.testing.assert_close(weights[1], weights[0], rtol=0, atol=1e-5)


def test_a_run_without_finite_gradients_ends_and_saves_nothing(faces: FaceSet, tmp_path: Path) -> None:
    trainer = Trainer(CONFIG, "stage1", faces=faces, run=tmp_path)
    weight = trainer.parameters[0]
    trainer.stage.loss = lambda *_: (weight.sum() * float("nan"), {})
    with pytest.raises(TrainingError, match="stage1 has had no finite gradient for 20 steps"):
        trainer.train()
    assert trainer.step == 19
    assert not trainer.path.exists()


def test_a_stop_request_finishes_the_step_and_saves(faces: FaceSet, tmp_path: Path) -> None:
    requests = iter([False, False, True])
    trainer = Trainer(CONFIG, "stage2", faces=faces, run=with_untrained(tmp_path, "stage1"))
    trainer.train(stop=lambda: next(requests))
    assert (trainer.stopped, trainer.step) == (True, 3)
    again = Trainer(CONFIG, "stage2", faces=faces, run=tmp_path)
    assert again.step == 3
    again.train(until=5)
    assert (again.stopped, again.step) == (False, 5)
    assert math.isnan(again.train(until=5))


@pytest.mark.parametrize(
    ("change", "stage", "message"),
    [
        ({}, "stage2", "stage2 starts from .*stage1.pt, which does not exist; train stage1 first"),
        ({"model": {"image_size": 128, "cft_sizes": [16]}}, "stage1", "64 pixels wide, .* image_size is 128"),
        ({"model": {"channels": 32}}, "stage3", "stage2.pt was trained with another configuration"),
    ],
    ids=["no stage before", "faces of another size", "weights of another network"],
)
def test_a_mismatch_is_named(
    faces: FaceSet, tmp_path: Path, change: dict[str, Any], stage: str, message: str
) -> None:
    with_untrained(tmp_path, "stage2")
    with pytest.raises(UsageError, match=message):
        Trainer(changed(**change), stage, faces=faces, run=tmp_path)


def test_another_optimiser_is_refused(faces: FaceSet, tmp_path: Path) -> None:
    wide = {"transformer_width": 64}  # enough for Muon
    config, other = changed(model=wide), changed(model=wide, stage2={"optimiser": "muon"})
    run = with_untrained(tmp_path, "stage1", config)
    Trainer(config, "stage2", faces=faces, run=run).train(until=1)
    with pytest.raises(UsageError, match=r"stage2\.pt was trained with another optimiser"):
        Trainer(other, "stage2", faces=faces, run=run)


@pytest.mark.slow
@needs_weights
def test_one_step_of_each_stage_at_published_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every stage trains, and the weights keep the published shapes."""
    config = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8")) | {"workers": 0, "sheet_every": 0}
    for stage in STAGES:
        config[stage] |= {"batch": 1} | ({} if stage == "stage2" else {"adversarial_start": 0})
    y, x = np.mgrid[:512, :512]
    face = np.stack([128 + 100 * np.sin(x / (9 + c)) * np.cos(y / 17) for c in range(3)], axis=-1)
    write_face_folder(tmp_path, face[None].astype(np.uint8), ["a.jpg"])

    def save(t: Trainer) -> None:
        """What the next stage needs of a checkpoint; a whole one has 1 to 2 GB."""
        state = {"averaged": t.averaged, "stage": t.stage.state_dict(), "step": t.step}
        torch.save(state, t.path)

    monkeypatch.setattr(Trainer, "save", save)
    for stage in STAGES:
        trainer = Trainer(config, stage, faces=FaceSet(tmp_path), run=tmp_path)
        before = {name: value.clone() for name, value in trainer.averaged.items()}
        loss = trainer.train(until=1)
        assert np.isfinite(loss)
        moved = {n.split(".")[0] for n, v in trainer.averaged.items() if not torch.equal(v, before[n])}
        assert (
            moved
            == {
                "stage1": {"encoder", "generator", "quantize"},
                "stage2": {"encoder", "feat_emb", "ft_layers", "idx_pred_layer", "position_emb"},
                "stage3": {
                    "encoder",
                    "feat_emb",
                    "ft_layers",
                    "idx_pred_layer",
                    "position_emb",
                    "fuse_convs_dict",
                },
            }[stage]
        )
        state = trainer.averaged
        assert {name: list(value.shape) for name, value in state.items()} == shapes()
        assert len(state) == 515
        # The next stage starts from a file: free the memory of this one first.
        del trainer, before, state
        (tmp_path / f"{stage}.csv").unlink()
