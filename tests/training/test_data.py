"""The stream of training pairs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.face_folders import write_face_folder
from vidrestore.degradation.degrade import degrade_batch
from vidrestore.measure.face_set import FaceSet
from vidrestore.training.data import Pairs, Recipes, batches


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    pixels = coarse.repeat(8, axis=1).repeat(8, axis=2)
    names = [f"person{i}.jpg" for i in range(40)]
    return write_face_folder(tmp_path, pixels, names, [2.0 if i % 2 else 0.8 for i in range(40)])


def test_pairs_depend_on_seed_and_index_only(folder: Path) -> None:
    faces = FaceSet(folder)
    a, b = Pairs(faces, seed=1, length=8), Pairs(faces, seed=1, length=8)
    _ = a[0]
    assert all(torch.equal(x, y) for x, y in zip(a[5], b[5], strict=True))
    assert not torch.equal(a[5][0], Pairs(faces, seed=2, length=8)[5][0])


def test_a_resumed_stream_continues(folder: Path) -> None:
    pairs = Pairs(FaceSet(folder), seed=1, length=13)
    whole = list(batches(pairs, batch=2, start=0, workers=0))
    rest = list(batches(pairs, batch=2, start=4, workers=0))
    assert len(whole) == 6
    assert len(rest) == 2
    assert all(torch.equal(x[1], y[1]) for x, y in zip(whole[4:], rest, strict=True))


def test_clean_pairs(folder: Path) -> None:
    clean, same = Pairs(FaceSet(folder), seed=1, length=4, degraded=False)[2]
    assert clean.shape == (3, 64, 64)
    assert torch.equal(clean, same)


@pytest.mark.parametrize("form", ["video", "paper"])
def test_recipes_are_the_pairs_before_degradation(folder: Path, form: str) -> None:
    faces = FaceSet(folder)
    pairs = batches(Pairs(faces, seed=1, length=12, form=form), batch=4, start=1, workers=0)
    recipes = batches(Recipes(faces, seed=1, length=12, form=form), batch=4, start=1, workers=0)
    for (clean, degraded), (same, degradations, seeds) in zip(pairs, recipes, strict=True):
        assert torch.equal(clean, same)
        assert (degrade_batch(same, degradations, seeds) != degraded).float().mean() < 0.01


@pytest.mark.parametrize("form", ["colour", "inpaint"])
def test_faces_of_a_task_lack_what_it_is_to_give_them(folder: Path, form: str) -> None:
    pairs = Pairs(FaceSet(folder), seed=1, length=40, form=form)
    for number in range(40):
        clean, lacking = pairs[number]
        if form == "colour":
            assert not is_monochrome(clean)
        else:
            changed = (clean != lacking).any(dim=0)
            assert (lacking[:, changed] == 255).all()


def test_degraded_faces_are_monochrome_if_the_clean_ones_are(folder: Path) -> None:
    pairs = Pairs(FaceSet(folder), seed=1, length=160)
    monochrome = [pair for i in range(160) if is_monochrome((pair := pairs[i])[0])]
    assert 8 < len(monochrome) < 32
    assert all(is_monochrome(degraded) for _, degraded in monochrome)


def is_monochrome(face: torch.Tensor) -> bool:
    return torch.equal(face[0], face[1]) and torch.equal(face[0], face[2])
