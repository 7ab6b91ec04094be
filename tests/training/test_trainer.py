"""The three stages, a few steps each on a tiny network: they learn, and a resumed run is the same run."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from vidrestore.training.data import FaceSet
from vidrestore.training.trainer import Trainer, load_averaged

from .small import CONFIG, write_faces

pytestmark = pytest.mark.skipif(find_spec("stlpips_pytorch") is None, reason="no perceptual weights")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    return FaceSet(write_faces(tmp_path_factory.mktemp("faces")))


@pytest.fixture(scope="module")
def run(faces: FaceSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the first two stages done."""
    folder = tmp_path_factory.mktemp("run")
    for stage in ("stage1", "stage2"):
        Trainer(CONFIG, stage, faces=faces, run=folder).train()
    return folder


def column(path: Path, name: str) -> list[float]:
    lines = [line.split(",") for line in path.read_text().splitlines()]
    at = lines[0].index(name)
    return [float(line[at]) for line in lines[1:]]


@pytest.mark.parametrize(("stage", "figure"), [("stage1", "l1"), ("stage2", "entropy")])
def test_a_stage_learns(run: Path, stage: str, figure: str) -> None:
    figures = column(run / f"{stage}.csv", figure)
    assert len(figures) == 2
    assert figures[-1] < 0.85 * figures[0]


def test_stage2_leaves_codebook_and_generator(run: Path) -> None:
    before, after = (load_averaged(run / f"{stage}.pt") for stage in ("stage1", "stage2"))
    same = {name.split(".")[0] for name in before if torch.equal(before[name], after[name])}
    assert {"quantize", "generator"} <= same
    assert not torch.equal(before["position_emb"], after["position_emb"])


def test_stage3_resumes_to_the_same_numbers(faces: FaceSet, run: Path, tmp_path: Path) -> None:
    losses = []
    for name, stops in (("whole", [None]), ("killed", [5, None])):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "stage2.pt").hardlink_to(run / "stage2.pt")
        for until in stops:
            trainer = Trainer(CONFIG, "stage3", faces=faces, run=folder)
            last = trainer.train(until=until)
        assert trainer.step == 12
        losses.append(last)
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    whole, killed = (load_averaged(tmp_path / name / "stage3.pt") for name in ("whole", "killed"))
    for name, value in whole.items():
        torch.testing.assert_close(killed[name], value, rtol=0, atol=1e-5)


def test_a_stage_needs_the_one_before(faces: FaceSet, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Trainer(CONFIG, "stage2", faces=faces, run=tmp_path)
