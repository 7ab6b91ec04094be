"""Stage III: it improves the network, freezes what it must, and limits the growth of features."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from tests.support.small_training import (
    CONFIG,
    LITES,
    WITH_CORRECTION,
    changed,
    evaluate_checkpoint,
    needs_weights,
)
from vidrestore.errors import UsageError
from vidrestore.faces.identity.embedding import identity_square
from vidrestore.measure.face_set import FaceSet
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.checkpoint import load_averaged, load_checkpoint
from vidrestore.training.data import batches, to_network
from vidrestore.training.identity import IdentityLoss
from vidrestore.training.image_loss import cut_square
from vidrestore.training.settings import complete
from vidrestore.training.stage2 import Stage2
from vidrestore.training.stage3 import Stage3, growth, watched
from vidrestore.training.trainer import Trainer

pytestmark = needs_weights


def test_the_network_improves(faces: FaceSet, run: Path) -> None:
    before, after = (
        evaluate_checkpoint(run / f"{stage}.pt", CONFIG, faces, 0.5) for stage in ("stage2", "stage3")
    )
    assert all(b < 0.97 * a for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(("scale", "moved"), [(0.0, False), (0.3, True)])
def test_the_generator_can_be_frozen(
    faces: FaceSet, run: Path, tmp_path: Path, scale: float, moved: bool
) -> None:
    (tmp_path / "stage2.pt").hardlink_to(run / "stage2.pt")
    config = changed(stage3={"steps": 3, "adversarial_start": 0, "generator_scale": scale})
    Trainer(config, "stage3", faces=faces, run=tmp_path).train()
    before, after = load_averaged(run / "stage2.pt"), load_averaged(tmp_path / "stage3.pt")
    assert moved != torch.equal(before["generator.blocks.0.weight"], after["generator.blocks.0.weight"])


def test_the_generators_features_stay_bounded(faces: FaceSet, run: Path, tmp_path: Path) -> None:
    """The CFT is a product of features. Without a penalty, those of the finest level grow by orders of
    magnitude per step, and the norm that follows turns them into noise or a flat image."""
    config = changed(stage3={"steps": 40, "w_one": 0.4, "adversarial": 0.0})
    (tmp_path / "stage2.pt").hardlink_to(run / "stage2.pt")
    Trainer(config, "stage3", faces=faces, run=tmp_path).train()
    network = CodeFormer(CodeFormerConfig.from_dict(config["model"])).eval()
    network.load_state_dict(load_averaged(tmp_path / "stage3.pt"))
    finest = []  # before the norm, which would hide their size
    network.generator.blocks[-2].register_forward_hook(lambda norm, args, output: finest.append(args[0]))
    images = to_network(torch.stack([faces.face(i) for i in range(2)]))
    with torch.no_grad(), watched(network) as transformed:
        restored = network(images, 1.0)
    assert len(transformed) == 2
    assert all(after.std() < 6 * before.std() for before, after in transformed)
    assert finest[0].abs().max() < 1000
    assert finest[0].std(dim=(2, 3)).median() > 0.1
    assert torch.isfinite(restored).all()
    assert restored.std(dim=(2, 3)).min() > 0.05


def test_parts_without_a_learning_rate_are_frozen(faces: FaceSet, run: Path, tmp_path: Path) -> None:
    (tmp_path / "stage2.pt").hardlink_to(run / "stage2.pt")
    config = changed(stage3={"steps": 6, "encoder_scale": 0.0, "generator_scale": 0.0})
    Trainer(config, "stage3", faces=faces, run=tmp_path).train()
    before, after = load_averaged(run / "stage2.pt"), load_averaged(tmp_path / "stage3.pt")
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"fuse_convs_dict"}


def test_the_codes_of_clean_faces_are_those_of_stage_1(faces: FaceSet, run: Path, tmp_path: Path) -> None:
    """Stage II trains the encoder on degraded faces, so that its features of clean ones change."""
    (tmp_path / "stage2.pt").hardlink_to(run / "stage2.pt")
    first, second = load_averaged(run / "stage1.pt"), load_averaged(run / "stage2.pt")
    begun = Trainer(CONFIG, "stage3", faces=faces, run=tmp_path).stage
    for stage in (begun, Trainer(CONFIG, "stage3", faces=faces, run=run).stage):  # the latter is resumed
        assert isinstance(stage, Stage3)
        assert stage.teacher is not None
        for name, value in stage.teacher.encoder.state_dict().items():
            assert torch.equal(value, first[f"encoder.{name}"])
    assert not torch.equal(first["encoder.blocks.0.weight"], second["encoder.blocks.0.weight"])


def test_a_stage_2_without_the_encoder_of_stage_1_is_refused(
    faces: FaceSet, run: Path, tmp_path: Path
) -> None:
    torch.save(load_checkpoint(run / "stage2.pt") | {"stage": {}}, tmp_path / "stage2.pt")
    with pytest.raises(UsageError, match=r"stage2\.pt was trained with another configuration"):
        Trainer(CONFIG, "stage3", faces=faces, run=tmp_path)


def test_the_correction_is_trained(faces: FaceSet, tmp_path: Path) -> None:
    config = changed(model=WITH_CORRECTION, stage3={"steps": 3, "adversarial_start": 0})
    network = CodeFormer(CodeFormerConfig.from_dict(config["model"]))
    before = network.state_dict()
    torch.save(
        {"averaged": before, "stage": Stage2(network, {}).state_dict(), "step": 0}, tmp_path / "stage2.pt"
    )
    Trainer(config, "stage3", faces=faces, run=tmp_path).train()
    after = load_averaged(tmp_path / "stage3.pt")
    changes = {
        n.split(".")[1] for n in after if n.startswith("correction.") and not after[n].equal(before[n])
    }
    assert {"last", "mix", "up_blocks", "pixels"} <= changes


def test_the_identity_loss_is_of_the_face_alone_and_counts_for_the_steps_without_it(
    faces: FaceSet, run: Path, tmp_path: Path
) -> None:
    seen: list[torch.Tensor] = []
    losses = {}

    class Watched(IdentityLoss):
        def __call__(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            seen.append(target)
            return super().__call__(x, target)

    for weight, every in ((0.0, 1), (0.3, 1), (0.1, 3)):
        folder = tmp_path / f"{weight}-{every}"
        folder.mkdir()
        (folder / "stage2.pt").hardlink_to(run / "stage2.pt")
        settings = {"steps": 2, "adversarial": 0.0, "perceptual": 0.0}
        trainer = Trainer(
            changed(stage3=settings | {"identity": weight, "identity_every": every}),
            "stage3",
            faces=faces,
            run=folder,
        )
        assert isinstance(trainer.stage, Stage3)
        assert (trainer.stage.face_loss.identity is not None) == (weight > 0)
        if weight:
            trainer.stage.face_loss.identity = Watched()
        losses[weight, every] = trainer.train(until=1)
        trainer.train()
    assert losses[0.1, 3] == pytest.approx(losses[0.3, 1], rel=1e-6)
    assert losses[0.3, 1] > losses[0.0, 1]
    stream = batches(trainer.pairs, batch=2, start=0, workers=0)
    clean = [to_network(next(stream)[0]) for _ in range(2)]
    expected = [cut_square(clean[step], identity_square(64)) for step in (0, 1, 0)]
    assert len(seen) == 3
    assert all(torch.equal(shown, face) for shown, face in zip(seen, expected, strict=True))


def test_every_second_step_has_the_losses_of_eyes_and_mouth() -> None:
    settings = {"components": 0.5, "identity_every": 2, "perceptual_every": 1, "adversarial": 0.0}
    config = changed(model={"image_size": 256, "patch": 16}, stage1={"part": 256}, stage3=settings)
    model = CodeFormer(CodeFormerConfig.from_dict(config["model"]))
    stage = Stage3(model, complete(config)["stage3"])
    clean = torch.rand((2, 3, 256, 256), generator=torch.Generator().manual_seed(0)) * 2 - 1
    for step in range(3):
        figures = stage.loss(model, clean, clean, step, torch.Generator())[1]
        assert ("perceptual_eyes" in figures) == (step != 1)


def test_the_correction_can_be_frozen() -> None:
    settings = complete(changed(model=WITH_CORRECTION))["stage3"]
    model = CodeFormer(CodeFormerConfig.from_dict(WITH_CORRECTION))
    assert model.correction is not None
    for scale in (0.0, 0.5):
        groups = Stage3(model, settings | {"correction_scale": scale}).parameter_groups(model)
        found = {id(p): group["scale"] for group in groups for p in group["params"]}
        assert {found.get(id(p), 0.0) for p in model.correction.parameters()} == {scale}
        assert {found[id(p)] for p in model.fuse_convs_dict.parameters()} == {1.0}


@pytest.mark.parametrize(("scale", "new"), [(0.0, 0.0), (0.2, 1.0)])
def test_what_is_new_in_a_trained_correction_learns_at_the_full_rate(scale: float, new: float) -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(WITH_CORRECTION | LITES))
    settings = complete(changed(model=WITH_CORRECTION | LITES))["stage3"]
    stage = Stage3(model, settings | {"correction_from": "lite", "correction_scale": scale})
    groups = stage.parameter_groups(model)
    found = {id(p): group["scale"] for group in groups for p in group["params"]}
    assert sum(len(group["params"]) for group in groups) == len(found)
    assert model.correction is not None
    scales = {name: found.get(id(p), 0.0) for name, p in model.correction.named_parameters()}
    assert {value for name, value in scales.items() if name.startswith("features.")} == {new}
    assert {value for name, value in scales.items() if not name.startswith("features.")} == {scale}


def test_a_share_of_a_trained_correction_is_exported() -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(WITH_CORRECTION | LITES))
    settings = complete(changed(model=WITH_CORRECTION | LITES))["stage3"]
    learned = {name: torch.ones_like(x) for name, x in model.state_dict().items()}
    assert Stage3(model, settings).exported(learned) == learned
    kept = Stage3(model, settings | {"correction_from": "lite", "correction_share": 0.25}).exported(learned)
    assert model.correction is not None
    expected = 0.25 + 0.75 * model.correction.last.weight
    assert torch.allclose(kept["correction.last.weight"], expected)
    assert kept["generator.blocks.0.weight"] is learned["generator.blocks.0.weight"]


@pytest.mark.parametrize(("factor", "expected"), [(0.5, 0), (4, 0), (8, math.log(2)), (40, math.log(10))])
def test_the_growth_penalty(factor: float, expected: float) -> None:
    features = torch.randn(2, 4, 8, 8, generator=torch.manual_seed(0))
    assert growth([(features, features), (features, factor * features)]).item() == pytest.approx(
        expected, abs=1e-4
    )


def test_the_distribution_of_w() -> None:
    model = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"]))
    stage = Stage3(model, complete(changed(stage3={"w_zero": 0.2, "w_one": 0.5}))["stage3"])
    w = stage.draw_w(4000, torch.Generator().manual_seed(0))
    assert (w == 0).float().mean().item() == pytest.approx(0.2, abs=0.03)
    assert (w == 1).float().mean().item() == pytest.approx(0.5, abs=0.03)
    between = w[(w > 0) & (w < 1)]
    assert between.mean().item() == pytest.approx(0.5, abs=0.03)
