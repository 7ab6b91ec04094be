"""Stage I: the codebook is used, and the views show a reconstruction."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.small_training import CONFIG, changed, column, needs_weights
from vidrestore.measure.face_set import FaceSet
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.data import batches, to_network
from vidrestore.training.identity import IdentityLoss
from vidrestore.training.image_loss import cut_square
from vidrestore.training.settings import complete
from vidrestore.training.stage1 import Stage1, quantise
from vidrestore.training.trainer import Trainer

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


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_codes_keep_the_layout_of_the_features(layout: torch.memory_format) -> None:
    """All layers that follow take it over, and in float32 a CPU trains faster in one than in the other."""
    model = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"])).to(memory_format=layout)
    faces = torch.rand(2, 3, 64, 64).contiguous(memory_format=layout)
    with torch.no_grad():
        encoding = model.encode(faces)
        codes = model.predict(encoding.features).argmax(dim=-1)
        for quantised in (quantise(model, encoding.features), model.look_up(codes, encoding, adain=False)):
            assert quantised.is_contiguous(memory_format=layout)
            assert model.reconstruct(quantised, faces).is_contiguous(memory_format=layout)


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


def test_parts_of_a_face_have_no_focus() -> None:
    """The new layers of a grown network learn on parts, of which nobody knows where the eyes are."""
    model = CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"]))
    settings = complete(CONFIG)["stage1"] | {"outer_steps": 1, "adversarial": 0.0}
    clean = torch.rand(2, 3, 64, 64, generator=torch.manual_seed(0)) * 2 - 1
    losses = {}
    for step in (0, 1):  # a part, and then whole faces
        for focus in (1.0, 4.0):
            torch.manual_seed(1)
            stage = Stage1(model, settings | {"focus": focus})
            losses[step, focus] = stage.loss(model, clean, clean, step, torch.Generator())[0].item()
    assert losses[0, 1.0] == losses[0, 4.0]
    assert losses[1, 1.0] != losses[1, 4.0]


def test_a_generator_with_positions_draws_parts_of_whole_faces(faces: FaceSet, tmp_path: Path) -> None:
    config = changed(model={"positions": True}, stage1={"steps": 2, "warmup": 0, "part": 32, "crop": 32})
    trainer = Trainer(config, "stage1", faces=faces, run=tmp_path)
    sizes, drawn = [], []
    trainer.model.encoder.register_forward_hook(lambda _, args, output: sizes.append(args[0].shape[-1]))
    head = trainer.model.generator.blocks[-1]
    head.register_forward_hook(lambda _, args, output: drawn.append(args[0].shape[-1]))
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    trainer.train()
    assert set(sizes) == {64}
    assert set(drawn) == {trainer.model.config.sizes[0] // 2}
    for name in ("encoder.positions", "generator.positions", "generator.blocks.0.weight"):
        assert not torch.equal(dict(trainer.model.named_parameters())[name], before[name])


def test_in_the_end_the_generator_learns_alone(faces: FaceSet, tmp_path: Path) -> None:
    config = changed(stage1={"steps": 14, "generator_from": 12, "adversarial_start": 12})
    trainer = Trainer(config, "stage1", faces=faces, run=tmp_path)
    trainer.train(until=12)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.train()
    after = trainer.model.state_dict()
    changes = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changes == {"generator"}


@pytest.mark.parametrize(("part", "square"), [(64, (10, 17, 44)), (32, (8, 16, 48))])
def test_every_second_step_has_the_identity_loss_of_the_face_alone(
    faces: FaceSet, tmp_path: Path, part: int, square: tuple[int, int, int]
) -> None:
    """A network that draws parts begins at its second level, whose pixels are 8 of the face here."""
    stage1 = {"steps": 4, "warmup": 0, "part": part, "crop": 32, "identity": 0.3, "identity_every": 2}
    config = changed(model={"positions": True}, stage1=stage1 | {"adversarial": 0.0})
    trainer = Trainer(config, "stage1", faces=faces, run=tmp_path)
    assert isinstance(trainer.stage, Stage1)
    seen = []

    class Watched(IdentityLoss):
        def __call__(self, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            seen.append(target.detach())
            return super().__call__(x, target)

    trainer.stage.face_loss.identity = Watched()
    trainer.train()
    stream = batches(trainer.pairs, batch=2, start=0, workers=0)
    clean = [to_network(next(stream)[0]) for _ in range(4)]
    assert len(seen) == 2
    for shown, step in zip(seen, (0, 2), strict=True):
        assert torch.equal(shown, cut_square(clean[step], square))
    assert column(tmp_path / "stage1.csv", "identity") == []  # the log's first line is at step 20


def test_the_identity_loss_counts_for_the_steps_without_it(faces: FaceSet, tmp_path: Path) -> None:
    stage1 = {"steps": 1, "warmup": 0, "adversarial": 0.0, "perceptual": 0.0}
    losses = {}
    for weight, every in ((0.0, 1), (0.3, 1), (0.1, 3)):
        folder = tmp_path / f"{weight}-{every}"
        folder.mkdir()
        settings = stage1 | {"identity": weight, "identity_every": every}
        trainer = Trainer(changed(stage1=settings), "stage1", faces=faces, run=folder)
        losses[weight, every] = trainer.train()
    assert losses[0.1, 3] == pytest.approx(losses[0.3, 1], rel=1e-6)
    assert losses[0.3, 1] > losses[0.0, 1]


def test_every_second_step_has_the_losses_of_eyes_and_mouth() -> None:
    sizes = {"image_size": 256, "patch": 16, "positions": True, "generator_widths": []}
    stage1 = {"part": 128, "warmup": 0, "identity": 0.0, "identity_every": 2, "adversarial": 0.0}
    config = changed(model=sizes, stage1=stage1 | {"components": 0.5, "perceptual_every": 1})
    model = CodeFormer(CodeFormerConfig.from_dict(config["model"]))
    stage = Stage1(model, complete(config)["stage1"])
    clean = torch.rand((2, 3, 256, 256), generator=torch.Generator().manual_seed(0)) * 2 - 1
    eyes = ["perceptual_eyes" in stage.loss(model, clean, clean, k, torch.Generator())[1] for k in range(4)]
    assert eyes == [True, False, True, False]


def test_discriminators_of_eyes_and_mouths_are_saved_with_the_run() -> None:
    stage1 = complete(CONFIG)["stage1"] | {"components": 0.5}
    stage = Stage1(CodeFormer(CodeFormerConfig.from_dict(CONFIG["model"])), stage1)
    assert len(stage.optimisers()) == 3
    saved = stage.state_dict()
    names = {name.split(".")[3] for name in saved if name.startswith("face_loss.components.")}
    assert names == {"eyes", "mouth"}
