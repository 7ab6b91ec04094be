"""Contact sheets: they show the faces, and drawing one does not affect training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.support.small_training import changed
from vidrestore.measure.face_set import FaceSet
from vidrestore.training.trainer import STAGES, Trainer, previous

COLUMNS = {"stage1": 3, "stage2": 5, "stage3": 5}


@pytest.mark.parametrize("stage", STAGES)
def test_a_sheet_shows_the_faces(faces: FaceSet, run: Path, tmp_path: Path, stage: str) -> None:
    if stage != "stage1":
        before = f"{previous(stage)}.pt"
        (tmp_path / before).hardlink_to(run / before)
    config = changed(sheet_every=2, **{stage: {"steps": 3}})
    Trainer(config, stage, faces=faces, run=tmp_path).train()
    paths = sorted((tmp_path / "sheets").iterdir())
    assert [p.name for p in paths] == [f"{stage}-{step:07}.png" for step in (2, 3)]
    sheet = cv2.imread(str(paths[1]))
    across, down = 258, 280  # a cell: the image, its margin and its label
    assert sheet.shape == (22 + 2 * down, COLUMNS[stage] * across, 3)
    # The clean face is in the first column in stage I, and in the last one later.
    x = 0 if stage == "stage1" else 4 * across
    shown = sheet[44 : 44 + 256, x : x + 256, ::-1]
    clean = cv2.resize(faces.pixels[0], (256, 256), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(shown, clean)


def test_drawing_does_not_affect_training(faces: FaceSet, run: Path, tmp_path: Path) -> None:
    (tmp_path / "stage2.pt").hardlink_to(run / "stage2.pt")
    trainer = Trainer(changed(sheet_every=1), "stage3", faces=faces, run=tmp_path)
    trainer.model.train()
    before = {k: v.clone() for k, v in trainer.averaged.items()}
    model = {k: v.clone() for k, v in trainer.model.state_dict().items()}
    random = torch.get_rng_state(), np.random.get_state()[1].copy()
    trainer.sheets.draw(trainer.model.config, trainer.averaged, 1)
    assert torch.equal(torch.get_rng_state(), random[0])
    assert np.array_equal(np.random.get_state()[1], random[1])
    assert all(torch.equal(trainer.averaged[k], v) for k, v in before.items())
    assert all(torch.equal(trainer.model.state_dict()[k], v) for k, v in model.items())
    assert trainer.model.training
    assert all(p.requires_grad for p in trainer.parameters)
