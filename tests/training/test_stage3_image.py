"""Stage III of a network with its CFT at image level."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.support.small_training import CONFIG, IMAGE, evaluate_checkpoint, needs_weights, start_at_image
from vidrestore.measure.face_set import FaceSet
from vidrestore.restoration.codeformer import CodeFormer, CodeFormerConfig
from vidrestore.training.checkpoint import load_averaged
from vidrestore.training.stage3_image import ImageStage3
from vidrestore.training.trainer import Trainer

pytestmark = needs_weights


@pytest.fixture(scope="module")
def trained(faces: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = start_at_image(tmp_path_factory.mktemp("image"))
    Trainer(CONFIG | IMAGE, "stage3", faces=faces, run=folder).train()
    return folder


@pytest.mark.parametrize("w", [0.0, 1.0])
def test_the_network_improves(faces: FaceSet, trained: Path, w: float) -> None:
    before, after = (
        evaluate_checkpoint(trained / f"{s}.pt", CONFIG | IMAGE, faces, w) for s in ("stage2", "stage3")
    )
    assert all(b < 0.97 * a for a, b in zip(before, after, strict=True))


def test_everything_else_is_frozen(trained: Path) -> None:
    before, after = (load_averaged(trained / f"{stage}.pt") for stage in ("stage2", "stage3"))
    assert {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])} == {
        "image_transform"
    }


def test_a_resumed_run_gives_the_same_numbers(faces: FaceSet, tmp_path: Path) -> None:
    config = CONFIG | IMAGE | {"stage3": IMAGE["stage3"] | {"steps": 10, "adversarial_start": 3}}
    losses, states = [], []
    for name, stops in (("whole", [None]), ("stopped", [1, 5, None])):
        folder = start_at_image(tmp_path / name)
        for until in stops:
            last = Trainer(config, "stage3", faces=faces, run=folder).train(until=until)
        losses.append(last)
        states.append(torch.load(folder / "stage3.pt", weights_only=True))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    for part in ("model", "averaged", "stage"):
        torch.testing.assert_close(states[1][part], states[0][part], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("large", "count", "side"), [(False, 4, 32), (True, 2, 64)])
def test_crops_of_faces_and_features_are_of_the_same_places(large: bool, count: int, side: int) -> None:
    config = CodeFormerConfig.from_dict(IMAGE["model"] | {"image_size": 128})
    stage = ImageStage3(CodeFormer(config), IMAGE["stage3"] | {"part": 32})
    place = torch.arange(16.0).view(4, 4).kron(torch.ones(8, 8)).kron(torch.ones(4, 4))[None, None]
    faces = torch.cat((place, place + 100)).expand(-1, 3, -1, -1)
    features = faces[:, :1, ::8, ::8]
    generator = torch.Generator().manual_seed(4)
    clean, degraded, informed = stage.cut(faces, -faces, features, generator=generator, large=large)
    assert clean.shape == (count, 3, side, side)
    assert torch.equal(clean, -degraded)
    assert torch.equal(clean[:, :1, ::8, ::8], informed)
    assert len({tuple(part.flatten().tolist()) for part in informed}) > 1
